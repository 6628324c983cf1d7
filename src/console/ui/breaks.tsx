import { Fragment } from 'preact';
import type { JSX } from 'preact';
import { visible } from '../text/visible.ts';

/** A URL or a path that breaks behind its parts, not within them. */
export const Breaks = ({ text }: { text: string }): JSX.Element => (
  <>
    {visible(text)
      .split(/(?<=[/?&.=_:-])(?=[^/])/)
      .slice(0, 200)
      .map((part, index) => (
        <Fragment key={index}>
          {part}
          <wbr />
        </Fragment>
      ))}
  </>
);
