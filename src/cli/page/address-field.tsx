/** An address or a size: typed in hexadecimal or as a size (`64K`), or moved by the arrow keys. Text that is neither is told, and changes nothing. */
import { useState } from 'preact/hooks';
import { hex } from '../../memory/hex.ts';
import { readAddress } from '../../text/addresses.ts';

const END = 1n << 64n;

interface Props {
  readonly label: string;
  readonly value: bigint;
  /** What the arrow keys add and take. */
  readonly step: bigint;
  readonly onChange: (value: bigint) => void;
  /** The label is for screen readers alone. */
  readonly bare?: boolean;
}

export function AddressField({ label, value, step, onChange, bare }: Props) {
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const wrong = typed !== undefined && readAddress(typed) === undefined;
  const move = (by: bigint) => {
    const next = value + by;
    if (next >= 0n && next < END) onChange(next);
  };
  const field = (
    <input
      type="text"
      spellcheck={false}
      aria-label={label}
      aria-invalid={wrong}
      title={wrong ? 'an address or a size: 0x1000, 4096, 64K, 2M' : 'arrow up and down move it'}
      value={typed ?? hex(value)}
      onInput={({ currentTarget }) => {
        setTyped(currentTarget.value);
        const read = readAddress(currentTarget.value);
        if (read !== undefined) onChange(read);
      }}
      onBlur={() => setTyped(undefined)}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
        event.preventDefault();
        setTyped(undefined);
        move(event.key === 'ArrowUp' ? step : -step);
      }}
    />
  );
  if (bare) return field;
  return (
    <div class="labelled">
      <span aria-hidden="true">{label}</span>
      {field}
    </div>
  );
}
