/** Starts the explorer: the state is what stands behind `#` in the page's address. The same script is the page's worker, where there is no document. */
import { render } from 'preact';
import { App } from './app.tsx';
import { listen } from './opening.ts';
import { followAddress } from './store.ts';
import { startWorker } from './worker/main.ts';
import './style.css';

if (typeof document === 'undefined') startWorker();
else {
  followAddress();
  listen();
  render(<App />, document.getElementById('app')!);
}
