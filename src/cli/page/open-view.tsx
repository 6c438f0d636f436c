/** Files that were opened, and the command line over them: the same commands, with the same answers, as in a terminal. */
import { useState } from 'preact/hooks';
import { sizeText } from '../../text/numbers.ts';
import { CopyButton } from './copy-button.tsx';
import { cancel, files, type Ran, ran, removeFile, runCommand, shellText, wordsOf } from './files.ts';
import { lookAt, openAll, openText } from './opening.ts';

const COMMANDS = ['walk', 'dump', 'lint', 'decode', 'fault'] as const;
type Name = (typeof COMMANDS)[number];

/** What stands behind the files of each command. */
const OPERANDS: Readonly<Record<Name, string>> = {
  walk: 'Addresses to walk',
  dump: 'More options, such as --tree or --range 0..1G',
  lint: 'More options, such as --full',
  decode: 'Descriptors',
  fault: 'Text of a log, or options such as --esr 0x96000045',
};

export function OpenView() {
  return (
    <>
      <Files />
      <CommandForm />
      {ran.value !== undefined && <Result shown={ran.value} />}
    </>
  );
}

function Files() {
  return (
    <fieldset class="entries">
      <legend>Files</legend>
      <label>
        <span>
          Memory images, golden files, register text, logs: chosen here, or dropped anywhere on the page. They
          stay on this machine.
        </span>
        <input
          type="file"
          multiple
          onChange={({ currentTarget }) => {
            void openAll(currentTarget.files ?? []);
            currentTarget.value = '';
          }}
        />
      </label>
      <ul class="files" aria-label="Opened files">
        {files.value.map((file) => (
          <li key={file.name}>
            <span>
              <code>{file.name}</code>, {sizeText(file.size)}
            </span>{' '}
            <button type="button" aria-label={`look at it: ${file.name}`} onClick={() => void lookAt(file)}>
              look at it
            </button>{' '}
            <button type="button" aria-label={`close ${file.name}`} onClick={() => removeFile(file.name)}>
              close
            </button>
          </li>
        ))}
      </ul>
      <PastedText />
    </fieldset>
  );
}

function PastedText() {
  const [text, setText] = useState('');
  return (
    <details>
      <summary>Or paste a log, a descriptor, a request</summary>
      <label>
        <span>Text (outside a field, Ctrl+V is enough)</span>
        <textarea
          rows={5}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <button type="button" disabled={text.trim() === ''} onClick={() => void openText(text)}>
        Read it
      </button>
    </details>
  );
}

function CommandForm() {
  const [name, setName] = useState<Name>('walk');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [base, setBase] = useState('');
  const [registers, setRegisters] = useState('');
  const [operands, setOperands] = useState('0x0');
  const [options, setOptions] = useState('');
  const hasFiles = name === 'walk' || name === 'dump' || name === 'lint';
  const all = files.value.map((file) => file.name);
  const known = chosen.filter((file) => all.includes(file));
  const used = known.length > 0 ? known : all.filter((file) => file !== registers).slice(0, 1);
  const argv = [
    name,
    ...(hasFiles ? used.map((file) => (base === '' ? file : `${file}@${base}`)) : []),
    ...wordsOf(operands),
    ...(hasFiles && registers !== '' ? ['--registers', registers] : []),
    ...wordsOf(options),
  ];
  return (
    <form
      aria-label="Command line"
      onSubmit={(event) => {
        event.preventDefault();
        runCommand(argv);
      }}
    >
      <div class="choices">
        <label>
          <span>Command</span>
          <select
            value={name}
            onChange={({ currentTarget }) => {
              setName(currentTarget.value as Name);
              setOperands(currentTarget.value === 'walk' ? '0x0' : '');
            }}
          >
            {COMMANDS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        {hasFiles && (
          <>
            <label>
              <span>Files with memory</span>
              <select
                multiple
                size={Math.min(4, Math.max(2, all.length))}
                onChange={({ currentTarget }) =>
                  setChosen([...currentTarget.selectedOptions].map(({ value }) => value))
                }
              >
                {all.map((one) => (
                  <option key={one} value={one} selected={used.includes(one)}>
                    {one}
                  </option>
                ))}
              </select>
            </label>
            <label>
              <span>Base address of raw memory</span>
              <input
                type="text"
                spellcheck={false}
                value={base}
                onInput={({ currentTarget }) => setBase(currentTarget.value.trim())}
              />
            </label>
            <label>
              <span>Registers</span>
              <select value={registers} onChange={({ currentTarget }) => setRegisters(currentTarget.value)}>
                <option value="">in the file, or below</option>
                {all.map((one) => (
                  <option key={one}>{one}</option>
                ))}
              </select>
            </label>
          </>
        )}
        <label>
          <span>{OPERANDS[name]}</span>
          <input
            type="text"
            spellcheck={false}
            value={operands}
            onInput={({ currentTarget }) => setOperands(currentTarget.value)}
          />
        </label>
        <label>
          <span>Options, as on the command line</span>
          <input
            type="text"
            spellcheck={false}
            placeholder="--ttbr0 0x… --tcr 0x… --mair 0x…"
            value={options}
            onInput={({ currentTarget }) => setOptions(currentTarget.value)}
          />
        </label>
      </div>
      <p>
        <button type="submit">Run</button>{' '}
        <CopyButton text={`lpae ${shellText(argv)}\n`}>Copy as command</CopyButton>{' '}
        <code>lpae {shellText(argv)}</code>
      </p>
    </form>
  );
}

function Result({
  shown: { argv, state, progress, code, out, err, milliseconds = 0 },
}: {
  readonly shown: Ran;
}) {
  const [command = ''] = argv;
  const said =
    state === 'running'
      ? `lpae ${command} runs${progress === '' ? '' : `: ${progress}`}`
      : state === 'cancelled'
        ? `lpae ${command} was cancelled`
        : `lpae ${command}: exit code ${code}, ${Math.round(milliseconds)} ms`;
  return (
    <>
      <p class={state === 'done' && code !== 0 ? 'problem' : 'good'} role="status">
        {said}{' '}
        {state === 'running' && (
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        )}
      </p>
      {err !== '' && <Text label="Messages" text={err} />}
      {out !== '' && <Text label="Answer of the command" text={out} />}
    </>
  );
}

function Text({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="output" tabIndex={0} aria-label={label}>
      <pre>{text.trimEnd()}</pre>
    </section>
  );
}
