/**
 * Entries as blocks on a strip of physical memory. The pointer drags a block, or its right edge to resize it; arrow keys move it, and resize it
 * with Shift.
 */
import { useRef } from 'preact/hooks';
import { hex } from '../../memory/hex.ts';
import { sizeText } from '../../text/numbers.ts';
import { edit, played, playground } from './store.ts';

const WIDTH = 480;
const HEIGHT = 44;
/** More blocks than this can't be told apart. */
const MOST = 64;
/** Pixels of a block that are its edge. */
const EDGE = 5;

interface Drag {
  readonly entry: number;
  readonly what: 'phys' | 'length';
  readonly x: number;
  readonly from: bigint;
  readonly window: Window;
}

interface Window {
  readonly first: bigint;
  readonly bytes: number;
}

/** The memory around all entries, a sixteenth more at both ends. */
function windowOf(sg: readonly { readonly phys: bigint; readonly length: bigint }[]): Window {
  const first = sg.reduce((least, { phys }) => (phys < least ? phys : least), sg[0]!.phys);
  const end = sg.reduce((most, { phys, length }) => (phys + length > most ? phys + length : most), 0n);
  const margin = (end - first) / 16n + 0x1000n;
  const start = first > margin ? first - margin : 0n;
  return { first: start, bytes: Number(end + margin - start) };
}

export function MemoryStrip() {
  const { sg: asked, cpuPage } = playground.value;
  const drag = useRef<Drag | undefined>(undefined);
  const sg = asked.map(({ phys, length }) => ({ phys: BigInt(phys), length: BigInt(length) }));
  if (sg.length === 0 || sg.length > MOST) return null;
  const failing = played.value.error?.operands.entry;
  const window = drag.current?.window ?? windowOf(sg);
  const page = BigInt(cpuPage);
  const perByte = WIDTH / window.bytes;
  const put = (entry: number, part: 'phys' | 'length', value: bigint) => {
    if (value >= 0n) edit((now) => now.with(entry, { ...now[entry]!, [part]: value }));
  };
  const add = (entry: number, part: 'phys' | 'length', by: bigint) =>
    put(entry, part, BigInt(playground.peek().sg[entry]![part]) + by);
  return (
    <svg class="lpae-draw memory" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-label="Entries in physical memory">
      <rect class="lpae-f-grey" x={0} y={8} width={WIDTH} height={28} />
      {sg.map(({ phys, length }, i) => (
        <rect
          // Entries have no name but their place.
          key={i}
          class={i === failing ? 'lpae-f-red block' : 'lpae-f-blue block'}
          x={Number(phys - window.first) * perByte}
          y={8}
          width={Math.max(4, Number(length) * perByte)}
          height={28}
          tabindex={0}
          role="slider"
          aria-label={`entry ${i}`}
          aria-valuenow={Number(phys)}
          aria-valuetext={`PA ${hex(phys)}, ${sizeText(length)}`}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            const { right, width } = event.currentTarget.getBoundingClientRect();
            const what = width > 3 * EDGE && right - event.clientX < EDGE ? 'length' : 'phys';
            const from = what === 'phys' ? phys : length;
            drag.current = { entry: i, what, x: event.clientX, from, window };
          }}
          onPointerMove={(event) => {
            if (drag.current?.entry !== i) return;
            const scale = window.bytes / event.currentTarget.ownerSVGElement!.clientWidth;
            const { what, x, from } = drag.current;
            const moved = from + BigInt(Math.round(((event.clientX - x) * scale) / cpuPage)) * page;
            put(i, what, moved);
          }}
          onPointerUp={() => {
            drag.current = undefined;
            edit((now) => now);
          }}
          onKeyDown={(event) => {
            const by = { ArrowRight: page, ArrowUp: page, ArrowLeft: -page, ArrowDown: -page }[event.key];
            if (by === undefined) return;
            event.preventDefault();
            add(i, event.shiftKey ? 'length' : 'phys', by);
          }}
        >
          <title>{`entry ${i}: PA ${hex(phys)}, ${sizeText(length)}`}</title>
        </rect>
      ))}
    </svg>
  );
}
