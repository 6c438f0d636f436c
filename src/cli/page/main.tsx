/** Starts the explorer: the state is what stands behind `#` in the page's address. */
import { render } from 'preact';
import { App } from './app.tsx';
import { followAddress } from './store.ts';
import './style.css';

followAddress();
render(<App />, document.getElementById('app')!);
