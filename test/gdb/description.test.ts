import { describe, expect, test } from 'vitest';
import { readDescription } from '../../src/gdb/description.ts';

const read = (documents: Record<string, string>) =>
  readDescription(async (name) => {
    const text = documents[name];
    if (text === undefined) throw new Error(`no ${name}`);
    return text;
  });

describe('a target description', () => {
  test('lists registers with those of what it includes, in its order', async () => {
    const description = await read({
      'target.xml': `<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">
        <target><architecture>aarch64</architecture>
        <xi:include href="core.xml"/><!-- <xi:include href="none.xml"/> -->
        <xi:include href='system.xml'/></target>`,
      'core.xml': '<feature name="c"><reg name="x0" bitsize="64"/><reg name="sp" bitsize="64"/></feature>',
      'system.xml': `<feature name="s"><reg name="TCR_EL1" bitsize="64" regnum="68" group="cp_regs"/>
        <reg bitsize='32' name='MVFR6'/></feature>`,
    });
    expect(description).toEqual({
      architecture: 'aarch64',
      registers: [
        { name: 'x0', number: 0, bits: 64 },
        { name: 'sp', number: 1, bits: 64 },
        { name: 'TCR_EL1', number: 68, bits: 64 },
        { name: 'MVFR6', number: 69, bits: 32 },
      ],
    });
  });

  test('that includes itself ends', async () => {
    const { registers } = await read({
      'target.xml': '<target><reg name="a" bitsize="8"/><xi:include href="target.xml"/></target>',
    });
    expect(registers.length).toBeLessThan(20);
  });

  test('without an architecture says none', async () => {
    expect(await read({ 'target.xml': '<target></target>' })).toEqual({ registers: [] });
  });
});
