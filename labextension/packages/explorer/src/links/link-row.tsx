import * as React from "react";
import { useExplorer } from "../context";
import { toProblem } from "../problems";
import { accessWord } from "../rights";
import { sentence } from "../text";
import type { LinkMarks, LinkView } from "../types";
import { IconButton } from "../ui/button";
import { Icon, ProviderIcon } from "../ui/icons";
import type { Command } from "../ui/menu";
import { EditLink } from "./edit-link";
import { RemoveLink } from "./remove";

interface LinkRowProps {
  link: LinkView;
  onOpen: () => void;
  onChanged: () => void;
}

export function LinkRow({ link, onOpen, onChanged }: LinkRowProps) {
  const { client, notify, openMenu, compact } = useExplorer();
  // The mark is shown before the server has answered; a refusal takes it back.
  const [marked, setMarked] = React.useState<{ was: boolean; to: boolean }>();
  const mark = async (marks: LinkMarks): Promise<void> => {
    try {
      await client.markLink(link.id, marks);
      onChanged();
    } catch (error) {
      setMarked(undefined);
      notify(sentence(toProblem(error).title), "error");
    }
  };
  const star = marked?.was === link.starred ? marked.to : link.starred;
  const commands = useCommands(link, onOpen, onChanged, mark);
  const menu = (at: { x: number; y: number }): void =>
    openMenu({ ...at, label: `Actions for ${link.name}`, commands });
  const access = accessWord(link);
  return (
    <li
      className={`dx-link ${link.hidden ? "dx-link-hidden" : ""}`}
      data-link={link.id}
      onContextMenu={(event) => {
        event.preventDefault();
        menu({ x: event.clientX, y: event.clientY });
      }}
    >
      <ProviderIcon provider={link.provider} />
      <div className="dx-link-what">
        <h2>
          <button type="button" className="dx-link-open" onClick={onOpen} title={link.url}>
            {link.name}
          </button>
        </h2>
        <p className="dx-link-url">
          <span title={link.url}>{link.url}</span>
          {!compact && link.description !== "" && <span> · {link.description}</span>}
        </p>
      </div>
      {!compact && (
        <div className="dx-link-where">
          <span>{link.region ?? ""}</span>
          {link.endpoint !== null && <small title={link.endpoint}>{hostOf(link.endpoint)}</small>}
        </div>
      )}
      <div className="dx-link-badges">
        <span
          className={`dx-badge ${access === "Writable" ? "dx-badge-ok" : ""}`}
          title={sentence(link.why)}
          aria-label={`${access}: ${link.why}`}
          role="img"
        >
          <Icon name={access === "Writable" ? "edit" : "lock"} />
          {!compact && access}
        </span>
        {!compact && <Origin link={link} />}
      </div>
      <div className="dx-link-buttons">
        {link.hidden && <Icon name="hidden" />}
        <IconButton
          icon={star ? "starred" : "star"}
          label={star ? `Unstar ${link.name}` : `Star ${link.name}`}
          aria-pressed={star}
          className={star ? "dx-starred" : ""}
          onClick={() => {
            setMarked({ was: link.starred, to: !star });
            void mark({ starred: !star });
          }}
        />
        <IconButton
          icon="more"
          label={`More for ${link.name}`}
          aria-haspopup="menu"
          onClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            menu({ x: box.left, y: box.bottom + 2 });
          }}
        />
      </div>
      {link.status === "invalid" && (
        <p className="dx-link-message">
          <Icon name="warning" /> {sentence(link.message === "" ? "it cannot be reached" : link.message)}
        </p>
      )}
    </li>
  );
}

function Origin({ link }: { link: LinkView }) {
  const [word, why] =
    link.workspace !== null
      ? [
          link.workspace,
          `offered to the workspace “${link.workspace}”${link.owner === null ? "" : ` by ${link.owner}`}`,
        ]
      : link.source === "offered"
        ? ["Offered", "offered by an administrator"]
        : link.source === "found"
          ? ["Found", `found with the credential “${link.credential ?? ""}”`]
          : ["", ""];
  if (word === "") return null;
  return (
    <span className="dx-badge" title={sentence(why)}>
      {link.workspace !== null && <Icon name="people" />} {word}
    </span>
  );
}

function useCommands(
  link: LinkView,
  onOpen: () => void,
  onChanged: () => void,
  mark: (marks: LinkMarks) => Promise<void>,
): Command[] {
  const { ask, host, notify } = useExplorer();
  const done = (close: () => void) => (): void => {
    close();
    onChanged();
  };
  const commands: Command[] = [
    { id: "open", label: "Open", icon: "folder", run: onOpen },
    {
      id: "copy",
      label: "Copy the address",
      icon: "copy",
      run: () => void host.copy(link.url).then(() => notify("Address copied")),
    },
  ];
  const deep = host.deepLink;
  if (deep !== undefined)
    commands.push({
      id: "deep",
      label: "Copy a link to this page",
      icon: "link",
      run: () => void host.copy(deep({ link: link.id, path: "" })).then(() => notify("Link copied")),
    });
  commands.push({
    id: "hide",
    label: link.hidden ? "Show in my list" : "Hide from my list",
    icon: link.hidden ? "shown" : "hidden",
    apart: true,
    run: () => void mark({ hidden: !link.hidden }),
  });
  if (link.may_edit && host.linksElsewhere === undefined)
    commands.push(
      {
        id: "edit",
        label: host.workspaces.length > 0 ? "Edit, offer to a workspace…" : "Edit…",
        icon: "edit",
        run: () => ask((close) => <EditLink link={link} onClose={close} onChanged={done(close)} />),
      },
      {
        id: "remove",
        label: "Remove…",
        icon: "trash",
        danger: true,
        run: () => ask((close) => <RemoveLink link={link} onClose={close} onRemoved={done(close)} />),
      },
    );
  return commands;
}

const hostOf = (endpoint: string): string => endpoint.replace(/^https?:\/\//, "");
