/** Opens an address in the user's browser, as the system does it. Where that fails, the printed address is all there is. */
import { spawn } from 'node:child_process';

const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};
const ELSEWHERE = ['xdg-open'] as const;

export function openInBrowser(address: string): void {
  const [program, ...args] = OPENERS[process.platform] ?? ELSEWHERE;
  const child = spawn(program, [...args, address], { detached: true, stdio: 'ignore' });
  child.on('error', () => undefined);
  child.unref();
}
