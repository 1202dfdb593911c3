import { Dialog } from "./Dialog.tsx";
import { shownGroups, useKeysOn } from "./useKeys.ts";

/** Every key that works on the page that is open. */
export function Help({ onClose }: { onClose: () => void }) {
  const [on, turn] = useKeysOn();
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div className="grid gap-x-8 gap-y-4 px-5 pb-4 sm:grid-cols-2">
        {shownGroups().map(({ title, bindings }) => (
          <section key={title}>
            <h3 className="pb-1 font-medium">{title}</h3>
            <dl>
              {bindings.map(({ keys, label }) => (
                <div key={keys} className="flex items-center justify-between gap-4 py-1 text-sm">
                  <dt className="text-muted">{label}</dt>
                  <dd className="flex gap-1">
                    {keys.split(" ").map((key, index) => (
                      <kbd
                        // biome-ignore lint/suspicious/noArrayIndexKey: the keys never move
                        key={index}
                        className="rounded border border-line-strong bg-sunken px-1.5 font-mono text-xs leading-5"
                      >
                        {key}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className="flex items-center gap-2.5 border-t border-line px-5 py-3 text-sm">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => turn(event.target.checked)}
          className="size-4 accent-accent"
        />
        Single keys do something. Turn this off if you dictate, or press keys by accident.
      </label>
    </Dialog>
  );
}
