/** RAM that lies elsewhere: chunks of 64 KiB are loaded when they are looked at, and dropped when there are many. */
import { describe, expect, test } from 'vitest';
import { EXTERNAL_ABORT, type LoadChunk, PhysicalMemory } from '../../src/memory/index.ts';

const CHUNK = 0x1_0000;

/** Memory in which each 64-bit word holds its own PA, and what was loaded of it. */
function ownAddresses(base: bigint, size: bigint) {
  const loads: number[] = [];
  const load: LoadChunk = (pa, bytes) => {
    loads.push(pa);
    const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
    for (let i = 0; i < words.length; i++) words[i] = BigInt(pa + i * 8);
  };
  return { memory: new PhysicalMemory({ base, size, load }), loads };
}

describe('a region with `load`', () => {
  test('loads nothing by itself, and a chunk once', () => {
    const { memory, loads } = ownAddresses(0x8000_0000n, 1n << 40n);
    expect([loads, memory.hostBytes]).toEqual([[], 0]);
    expect(memory.read64(0x8000_0008n)).toBe(0x8000_0008n);
    expect(memory.read64(0x8000_fff8n)).toBe(0x8000_fff8n);
    expect(memory.read64(0x80_0000_0000n)).toBe(0x80_0000_0000n);
    expect(loads).toEqual([0x8000_0000, 0x80_0000_0000]);
    expect(memory.hostBytes).toBe(2 * CHUNK);
  });

  test('loads whole chunks, also where the region begins and ends within one', () => {
    const { memory, loads } = ownAddresses(0x1_8008n, 0x1_0000n);
    expect(memory.read64(0x1_8008n)).toBe(0x1_8008n);
    expect(memory.read64(0x2_8000n)).toBe(0x2_8000n);
    expect(loads).toEqual([0x1_0000, 0x2_0000]);
    expect([memory.read64(0x1_8000n), memory.read64(0x2_8008n)]).toEqual([EXTERNAL_ABORT, EXTERNAL_ABORT]);
  });

  test('keeps what is written, with the rest of its chunk as it was loaded', () => {
    const { memory, loads } = ownAddresses(0n, 0x1000_0000n);
    memory.write64(0x2_0010n, 7n);
    expect([memory.read64(0x2_0008n), memory.read64(0x2_0010n), memory.read64(0x2_0018n)]).toEqual([
      0x2_0008n,
      7n,
      0x2_0018n,
    ]);
    expect(loads).toEqual([0x2_0000]);
  });

  test('drops the chunk that was loaded first when there are more than 512, and loads it again', () => {
    const { memory, loads } = ownAddresses(0n, BigInt(CHUNK * 1000));
    for (let chunk = 0; chunk < 513; chunk++) memory.read64(BigInt(chunk * CHUNK));
    expect([loads.length, memory.hostBytes]).toEqual([513, 512 * CHUNK]);
    memory.read64(BigInt(CHUNK));
    expect(loads).toHaveLength(513);
    expect(memory.read64(8n)).toBe(8n);
    expect(loads.at(-1)).toBe(0);
    expect(loads).toHaveLength(514);
  });

  test('never drops what was written to', () => {
    const { memory, loads } = ownAddresses(0n, BigInt(CHUNK * 2000));
    for (let chunk = 0; chunk < 600; chunk++) memory.write32(BigInt(chunk * CHUNK), chunk);
    for (let chunk = 600; chunk < 1800; chunk++) memory.read64(BigInt(chunk * CHUNK));
    for (let chunk = 0; chunk < 600; chunk++) expect(memory.read32(BigInt(chunk * CHUNK))).toBe(chunk);
    expect(loads).toHaveLength(1800);
    expect(memory.hostBytes).toBe((600 + 512) * CHUNK);
  });

  test('clears what would be loaded', () => {
    const { memory } = ownAddresses(0n, BigInt(CHUNK * 4));
    memory.regions[0]!.clear(CHUNK - 8, CHUNK + 16);
    expect(
      [CHUNK - 16, CHUNK - 8, CHUNK, 2 * CHUNK, 2 * CHUNK + 8].map((pa) => memory.read64(BigInt(pa))),
    ).toEqual([BigInt(CHUNK - 16), 0n, 0n, 0n, BigInt(2 * CHUNK + 8)]);
  });
});
