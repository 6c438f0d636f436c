/** The question: page sizes, kind of table, meaning of map_sg, IOVA, and the entries. */

import { commandOf } from '../../explore/command.ts';
import { PRESETS } from '../../explore/presets.ts';
import { SG_SEMANTICS } from '../../iommu/sg-semantics.ts';
import { GRANULES, OFFERED } from '../../study/combinations.ts';
import { sizeText } from '../../text/numbers.ts';
import { AddressField } from './address-field.tsx';
import { CopyButton } from './copy-button.tsx';
import { Entries } from './entries.tsx';
import { GoldenButton } from './golden-button.tsx';
import { OtherRequests } from './request-panel.tsx';
import { ask, playground } from './store.ts';

const STAGE_NAMES = { s1: 'stage 1', s2: 'stage 2' } as const;
const OFFERED_NAMES = {
  pages: 'pages only',
  blocks: 'pages and blocks',
  contiguous: 'also contiguous runs',
} as const;

export function Controls() {
  const asked = playground.value;
  return (
    <form class="question" aria-label="Question" onSubmit={(event) => event.preventDefault()}>
      <fieldset class="presets">
        <legend>Begin with</legend>
        {PRESETS.map(({ name, about, playground: preset }) => (
          <button type="button" key={name} title={about} onClick={() => ask(preset)}>
            {name}
          </button>
        ))}
      </fieldset>
      <div class="choices">
        <Choice
          label="CPU page"
          value={asked.cpuPage}
          options={GRANULES}
          text={sizeText}
          onChange={(cpuPage) => ask({ cpuPage })}
        />
        <Choice
          label="IOMMU granule"
          value={asked.granule}
          options={GRANULES}
          text={sizeText}
          onChange={(granule) => ask({ granule })}
        />
        <Choice
          label="Leaves"
          value={asked.sizes}
          options={OFFERED}
          text={(one) => OFFERED_NAMES[one]}
          onChange={(sizes) => ask({ sizes })}
        />
        <Choice
          label="Table"
          value={asked.stage}
          options={['s1', 's2'] as const}
          text={(one) => STAGE_NAMES[one]}
          onChange={(stage) => ask({ stage })}
        />
        <Choice
          label="map_sg means"
          value={asked.semantics}
          options={SG_SEMANTICS}
          text={(one) => one}
          onChange={(semantics) => ask({ semantics })}
        />
        <AddressField
          label="IOVA"
          value={asked.iova}
          step={BigInt(asked.granule)}
          onChange={(iova) => ask({ iova })}
        />
      </div>
      <Entries />
      <p>
        <CopyButton text={commandOf(asked)}>Copy as command</CopyButton> <GoldenButton />
      </p>
      <OtherRequests />
    </form>
  );
}

interface ChoiceProps<T> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly T[];
  readonly text: (option: T) => string;
  readonly onChange: (option: T) => void;
}

function Choice<T extends string | number>({ label, value, options, text, onChange }: ChoiceProps<T>) {
  return (
    <label>
      <span>{label}</span>
      <select
        value={String(value)}
        onChange={({ currentTarget }) => {
          const found = options.find((one) => String(one) === currentTarget.value);
          if (found !== undefined) onChange(found);
        }}
      >
        {options.map((one) => (
          <option key={one} value={String(one)}>
            {text(one)}
          </option>
        ))}
      </select>
    </label>
  );
}
