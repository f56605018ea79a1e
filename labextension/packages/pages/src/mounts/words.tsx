import type { MountView } from "../api/types";
import { Icon } from "../components/icons";

/** Read-only, writable or not mounted at all, and why. */
export function Access({ mount }: { mount: MountView }) {
  const kind = !mount.available ? "no" : mount.writable ? "write" : "read";
  const word = { no: "Not mounted", write: "Writable", read: "Read-only" }[kind];
  return (
    <p className={`st-mount-access st-mount-${kind}`}>
      <Icon name={kind === "no" ? "warning" : kind === "write" ? "edit" : "lock"} /> <strong>{word}.</strong>{" "}
      {mount.why}
    </p>
  );
}
