/** An address or a size: typed in hexadecimal or as a size (`64K`), or moved by the arrow keys. Text that is neither is told, and changes nothing. */
import { useState } from 'preact/hooks';
import { hex } from '../../memory/hex.ts';

const UNITS: Readonly<Record<string, bigint>> = { K: 1n << 10n, M: 1n << 20n, G: 1n << 30n, T: 1n << 40n };
const END = 1n << 64n;

/** `0x1000`, `4096`, `4K`, with `_` between digits; undefined for anything else. */
export function readNumber(text: string): bigint | undefined {
  const [, digits, unit] = /^(0x[0-9a-f]+|\d+)([KMGT]?)$/i.exec(text.trim().replaceAll('_', '')) ?? [];
  if (digits === undefined) return undefined;
  const value = BigInt(digits) * (unit ? UNITS[unit.toUpperCase()]! : 1n);
  return value < END ? value : undefined;
}

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
  const wrong = typed !== undefined && readNumber(typed) === undefined;
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
        const read = readNumber(currentTarget.value);
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
