/** Saves the question, up to the moment that is looked at, as a golden file. Why there is none is told. */
import { useState } from 'preact/hooks';
import { goldenFileOf, NoGoldenFileError } from '../../explore/golden-file.ts';
import { done, timed } from './store.ts';

export function GoldenButton() {
  const [said, setSaid] = useState('');
  const save = () => {
    try {
      download(`${JSON.stringify(goldenFileOf(timed.peek(), done.peek()), null, 1)}\n`);
      setSaid('saved');
    } catch (error) {
      if (!(error instanceof NoGoldenFileError)) throw error;
      setSaid(`No golden file: ${error.message}`);
    }
  };
  return (
    <>
      <button
        type="button"
        title="operations, answers, tables and translations, as lpae check reads them"
        onClick={save}
      >
        Save golden file
      </button>{' '}
      <span role="status">{said}</span>
    </>
  );
}

function download(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'golden.json';
  link.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
