import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOfHex, hexOfText, PacketReader, packetOf, type Received } from '../../src/gdb/packet.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const text = (packets: readonly Received[]) =>
  packets.map((one) => (one.kind === 'packet' ? Buffer.from(one.data).toString('latin1') : one.kind));

describe('packets of the gdb remote protocol', () => {
  test('are a text between $ and its checksum', () => {
    expect(Buffer.from(packetOf('OK')).toString()).toBe('$OK#9a');
    expect(Buffer.from(packetOf('m40000000,800')).toString()).toBe('$m40000000,800#b5');
    expect(Buffer.from(packetOf('')).toString()).toBe('$#00');
  });

  test('are read with acknowledgements between them, and notifications left out', () => {
    expect(text(new PacketReader().push(bytes('+$OK#9a-+%Stop:T05#00$E14#aa')))).toEqual([
      'ack',
      'OK',
      'nak',
      'ack',
      'E14',
    ]);
  });

  test('with another checksum are damaged', () => {
    expect(text(new PacketReader().push(bytes('$OK#9b$OK#zz$OK#9a')))).toEqual(['damaged', 'damaged', 'OK']);
  });

  test('have runs and escaped bytes', () => {
    // Four zeros in all; } before a byte combined with 0x20: #, $, } and *.
    expect(text(new PacketReader().push(bytes('$0* #7a')))).toEqual(['0000']);
    expect(text(new PacketReader().push(bytes('$}\x03}\x04}]}\x0a#62')))).toEqual(['#$}*']);
  });

  test('may arrive in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (contents, cuts) => {
          const stream = Buffer.concat(contents.map(encoded));
          const reader = new PacketReader();
          const got: Uint8Array[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const length = cuts[i % cuts.length]!;
            for (const one of reader.push(stream.subarray(at, at + length)))
              if (one.kind === 'packet') got.push(one.data);
            at += length;
          }
          expect(got.map((one) => [...one])).toEqual(contents.map((one) => [...one]));
        },
      ),
    );
  });

  test('that do not end are refused', () => {
    expect(() => new PacketReader().push(bytes(`$${'x'.repeat(0x40_0000)}`))).toThrow('4 MiB');
  });

  test('hold bytes as pairs of digits', () => {
    expect(bytesOfHex('00fF10')).toEqual(Uint8Array.of(0, 255, 16));
    expect(bytesOfHex('0')).toBeUndefined();
    expect(bytesOfHex('0x')).toBeUndefined();
    expect(hexOfText('info')).toBe('696e666f');
  });
});

/** Escapes whatever may not stand in a packet, byte by byte. */
function encoded(content: Uint8Array): Buffer {
  const body = [...content].flatMap((byte) =>
    [0x23, 0x24, 0x2a, 0x7d].includes(byte) ? [0x7d, byte ^ 0x20] : [byte],
  );
  const sum = body.reduce((all, byte) => (all + byte) % 256, 0);
  return Buffer.concat([
    Buffer.from('$'),
    Buffer.from(body),
    Buffer.from(`#${sum.toString(16).padStart(2, '0')}`),
  ]);
}
