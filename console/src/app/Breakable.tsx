import { Fragment } from "react";

/** A name that may be broken after its underscores. */
export function Breakable({ name }: { name: string }) {
  return name.split(/(?<=_)/).map((part, index) => (
    // The parts of a name never move.
    // biome-ignore lint/suspicious/noArrayIndexKey: a fixed list
    <Fragment key={index}>
      {part}
      <wbr />
    </Fragment>
  ));
}
