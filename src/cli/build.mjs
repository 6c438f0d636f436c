/**
 * Builds `dist`, the command line as a bundle and the explorer's page in it, beside itself, and puts the new one in place of the old one when it is whole: a command that runs meanwhile has the old one. Of several
 * that want to build, one does, and the others wait for it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build as bundle } from 'esbuild';
import { buildExplorer } from '../explore/build.mjs';

const root = join(import.meta.dirname, '../..');
const [dist, lock] = [join(root, 'dist'), join(root, 'dist.lock')];

/** @param {() => boolean} isNeeded asked again when nobody else builds. @returns the exit code of the build. */
export async function build(isNeeded = () => true) {
  takeLock();
  try {
    return isNeeded() ? await buildBeside() : 0;
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

async function buildBeside() {
  const [next, old] = [join(root, `dist.next-${process.pid}`), join(root, `dist.old-${process.pid}`)];
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  try {
    const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', next], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    });
    if (status !== 0) return status ?? 1;
    await bundleCommandLine(join(next, 'src/cli'));
    await buildExplorer(join(next, 'explorer.html'));
    if (statSync(dist, { throwIfNoEntry: false })) renameSync(dist, old);
    renameSync(next, dist);
    return 0;
  } finally {
    for (const rest of [next, old]) rmSync(rest, { recursive: true, force: true });
  }
}

/**
 * In place of the modules of `src/cli`: a command would read 260 of them, and most of its time would go into that. What commands have in common, and
 * the thread that talks to a stub of gdb, lies in `chunks`, as deep as the modules lay, since they find their neighbours by `import.meta`.
 */
async function bundleCommandLine(folder) {
  rmSync(folder, { recursive: true });
  await bundle({
    absWorkingDir: root,
    entryPoints: { main: 'src/cli/main.ts', 'chunks/worker': 'src/gdb/worker.ts' },
    outdir: folder,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
}

/** Waits for whoever builds, unless that one is dead. */
function takeLock() {
  const holder = join(lock, 'pid');
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(holder, `${process.pid}`);
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isDead(holder)) rmSync(lock, { recursive: true, force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

function isDead(holder) {
  try {
    process.kill(Number(readFileSync(holder, 'utf8')), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

if (process.argv[1] === import.meta.filename) process.exit(await build());
