/** Copies a text; where the browser does not let a page copy, the text is shown, selected. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

export function CopyButton({
  text,
  children,
}: {
  readonly text: string;
  readonly children: ComponentChildren;
}) {
  const [shown, setShown] = useState<'nothing' | 'copied' | 'text'>('nothing');
  const copy = () => {
    if (navigator.clipboard === undefined) setShown('text');
    else
      navigator.clipboard.writeText(text).then(
        () => setShown('copied'),
        () => setShown('text'),
      );
  };
  return (
    <>
      <button type="button" data-copies={text} onClick={copy}>
        {children}
      </button>{' '}
      <span role="status">{shown === 'copied' && 'copied'}</span>
      {shown === 'text' && (
        <textarea
          readonly
          rows={8}
          aria-label="Text to copy"
          value={text}
          onFocus={({ currentTarget }) => currentTarget.select()}
        />
      )}
    </>
  );
}
