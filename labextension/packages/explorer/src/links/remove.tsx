import * as React from "react";
import { useExplorer } from "../context";
import { useAction } from "../hooks/use-action";
import { count } from "../text";
import type { CredentialView, LinkView } from "../types";
import { Dialog } from "../ui/dialog";

interface RemoveLinkProps {
  link: LinkView;
  onClose: () => void;
  onRemoved: () => void;
}

export function RemoveLink({ link, onClose, onRemoved }: RemoveLinkProps) {
  const { client } = useExplorer();
  const { busy, problem, run } = useAction();
  return (
    <Dialog
      title={`Remove the link “${link.name}”?`}
      action="Remove the link"
      danger
      busy={busy}
      problem={problem}
      onClose={onClose}
      onSubmit={() => void run(() => client.removeLink(link.id)).then((done) => done && onRemoved())}
    >
      <p>
        The files in <code>{link.url}</code> stay as they are.
        {link.workspace !== null && ` The workspace “${link.workspace}” loses the link too.`}
      </p>
    </Dialog>
  );
}

interface RemoveCredentialProps {
  credential: CredentialView;
  onClose: () => void;
  onRemoved: () => void;
}

export function RemoveCredential({ credential, onClose, onRemoved }: RemoveCredentialProps) {
  const { client } = useExplorer();
  const { busy, problem, run } = useAction();
  const found = credential.links_found ?? 0;
  return (
    <Dialog
      title={`Remove the credential “${credential.name}”?`}
      action="Remove the credential"
      danger
      busy={busy}
      problem={problem}
      onClose={onClose}
      onSubmit={() =>
        void run(() => client.removeCredential(credential.id)).then((done) => done && onRemoved())
      }
    >
      <p>
        {found > 0
          ? `The ${count(found, "link")} found with it go from your list.`
          : "Links that use it stop working."}{" "}
        The data stays as it is.
      </p>
    </Dialog>
  );
}
