/** Gzip data inflated as a stream: by Node's zlib where it is, which is several times as fast, else by the web's streams. */

type Chunks = Iterable<Uint8Array<ArrayBuffer>>;
/** Hands what compressed chunks hold to `take`, piece by piece. Rejects for damaged data, and with what `take` and the chunks throw. */
export type Inflate = (chunks: Chunks, take: (chunk: Uint8Array) => void) => Promise<void>;

const CHUNK = 0x1_0000;

/** What is used of Node's modules. They are asked for, not imported: a bundle for a browser has nothing to leave out. */
interface NodeModules {
  readonly zlib: { createGunzip(options: { chunkSize: number }): unknown };
  readonly 'stream/promises': {
    pipeline(
      from: Chunks,
      through: unknown,
      to: (chunks: AsyncIterable<Uint8Array>) => Promise<void>,
    ): Promise<void>;
  };
}

interface Host {
  readonly process?: {
    getBuiltinModule?: <Name extends keyof NodeModules>(name: Name) => NodeModules[Name] | undefined;
  };
}

export const inflate: Inflate = (chunks, take) => {
  const host = (globalThis as Host).process;
  const zlib = host?.getBuiltinModule?.('zlib');
  const streams = host?.getBuiltinModule?.('stream/promises');
  if (zlib === undefined || streams === undefined) return inflateByWeb(chunks, take);
  return streams.pipeline(chunks, zlib.createGunzip({ chunkSize: CHUNK }), async (inflated) => {
    for await (const chunk of inflated) take(chunk);
  });
};

export const inflateByWeb: Inflate = async (chunks, take) => {
  const iterator = chunks[Symbol.iterator]();
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const reader = stream.pipeThrough(new DecompressionStream('gzip')).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) take(part.value);
};
