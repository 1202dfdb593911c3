import { useEffect, useId, useRef, useState } from "react";
import { Card, Chip } from "../../ui/index.ts";
import { get } from "../api.ts";
import { Button } from "../parts/Button.tsx";
import { APPS, appended, holding } from "./apps.ts";

const LINES_AT_FIRST = 500;
const DRAWN_EVERY_MILLIS = 150;

type Following = "connecting" | "live" | "paused" | "reconnecting";

/** What an app writes, as it writes it. */
export function LogCard({ app }: { app: string }) {
  const [isPaused, setPaused] = useState(false);
  const [wanted, setWanted] = useState("");
  const { lines, following, problem } = useLog(app, isPaused);
  const shown = holding(lines, wanted);
  const box = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  const id = useId();
  // Whoever has scrolled up to read is left there.
  useEffect(() => {
    if (shown.length > 0 && atEnd.current && box.current !== null) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [shown]);
  return (
    <Card
      title="Log"
      actions={
        problem === null && (
          <>
            <State following={following} />
            <Button onClick={() => setPaused(!isPaused)}>{isPaused ? "Follow" : "Pause"}</Button>
          </>
        )
      }
    >
      {problem !== null ? (
        <p className="px-4 pb-4 text-sm text-muted sm:px-5">{problem}</p>
      ) : (
        <>
          <div className="px-4 pb-2 sm:px-5">
            <label htmlFor={id} className="sr-only">
              Show lines that hold
            </label>
            <input
              id={id}
              type="search"
              value={wanted}
              onChange={(event) => setWanted(event.target.value)}
              placeholder="Show lines that hold …"
              className="w-full max-w-80 rounded-lg border border-line-strong bg-surface px-3 py-1 text-sm placeholder:text-muted"
            />
          </div>
          <section
            ref={box}
            // It scrolls, and so has to be reached by keyboard.
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region
            tabIndex={0}
            aria-label={`Log of ${app}`}
            onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
              atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
            }}
            className="h-96 overflow-auto rounded-b-card border-t border-line bg-sunken px-4 py-3 sm:px-5"
          >
            <pre className="font-mono text-xs leading-relaxed break-words whitespace-pre-wrap">
              {shown.length === 0
                ? lines.length === 0
                  ? "It has written nothing yet."
                  : "No line holds that."
                : shown.join("\n")}
            </pre>
          </section>
        </>
      )}
    </Card>
  );
}

function State({ following }: { following: Following }) {
  switch (following) {
    case "live":
      return <Chip tone="good">Live</Chip>;
    case "paused":
      return <Chip tone="plain">Paused</Chip>;
    case "connecting":
      return <Chip tone="plain">Connecting</Chip>;
    case "reconnecting":
      return <Chip tone="bad">Reconnecting</Chip>;
  }
}

/** Follows the log; each connection begins with the newest lines, which take the place of all before. */
function useLog(app: string, isPaused: boolean) {
  const [lines, setLines] = useState<readonly string[]>([]);
  const [following, setFollowing] = useState<Following>("connecting");
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (isPaused) {
      setFollowing("paused");
      return;
    }
    const path = `${APPS}/${app}/logs`;
    const source = new EventSource(`${path}?follow=true&lines=${LINES_AT_FIRST}`);
    let arrived: string[] = [];
    let isFresh = true;
    source.onopen = () => {
      isFresh = true;
      arrived = [];
      setFollowing("live");
    };
    source.onmessage = ({ data }: MessageEvent<string>) => arrived.push(data);
    source.onerror = () => {
      setFollowing("reconnecting");
      if (source.readyState === EventSource.CLOSED) {
        // An event source does not tell what its refusal said.
        get(`${path}?lines=0`).catch((error: Error) => setProblem(error.message));
      }
    };
    const drawing = setInterval(() => {
      if (arrived.length > 0) {
        const more = arrived;
        const before = isFresh;
        arrived = [];
        isFresh = false;
        setLines((known) => appended(before ? [] : known, more));
      }
    }, DRAWN_EVERY_MILLIS);
    return () => {
      clearInterval(drawing);
      source.close();
    };
  }, [app, isPaused]);
  return { lines, following, problem };
}
