import { useEffect, useRef } from "react";
import type { ComputeEnvironment, Studio, Template } from "../../api/types";
import { Icon, TemplateIcon } from "../../components/icons";
import { Saved } from "../../components/saved";
import { StateBadge } from "../../components/state";
import { useApp } from "../../hooks/app";
import { usePage } from "../../hooks/page";
import { count, memory } from "../../text";
import { Actions } from "./actions";
import type { Opening } from "./open-when-ready";

interface HeaderProps {
  studio: Studio;
  template: Template | undefined;
  environment: ComputeEnvironment | undefined;
  opening: Opening;
  put: (studio: Studio) => void;
}

export function Header({ studio, template, environment, opening, put }: HeaderProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  usePage(studio.name, heading);
  const title = template?.title ?? studio.template;
  return (
    <header className="st-studio-head">
      <div className="st-studio-title">
        <TemplateIcon icon={template?.icon ?? ""} title={title} />
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {studio.name}
          </h1>
          <StateBadge state={studio.state} />
        </div>
      </div>
      <Actions studio={studio} opening={opening} put={put} openRef={useFocusWhenReady(studio)} />
      {studio.description !== "" && <p className="st-studio-description">{studio.description}</p>}
      <Facts
        studio={studio}
        template={title}
        environment={environment?.title ?? studio.compute_environment}
      />
    </header>
  );
}

/** Gives the "Open" button the focus when a start that was watched here ends, unless the person is typing. */
function useFocusWhenReady(studio: Studio) {
  const open = useRef<HTMLAnchorElement>(null);
  const before = useRef(studio.state);
  useEffect(() => {
    const typing = document.activeElement?.matches("input:not([type=checkbox]), textarea, select, dialog *");
    if (before.current === "starting" && studio.state === "running" && !typing) open.current?.focus();
    before.current = studio.state;
  }, [studio.state]);
  return open;
}

function Facts({ studio, template, environment }: { studio: Studio; template: string; environment: string }) {
  const { config } = useApp();
  const people = studio.session?.people ?? [];
  return (
    <ul className="st-facts" aria-label="Facts">
      <li>
        <Icon name="save" /> <Saved studio={studio} every={1000} />
      </li>
      <li>
        <Icon name="layers" /> {template}
      </li>
      <li>
        <Icon name="server" /> {environment}
      </li>
      <li>
        <Icon name="chip" /> {count(studio.cpus, "CPU")}, {memory(studio.memory_mib)}
        {studio.gpus > 0 && `, ${count(studio.gpus, "GPU")}`}
      </li>
      <li>
        <Icon name="clock" /> {studio.lifespan_hours === 0 ? "No end" : `Lifespan ${studio.lifespan_hours} h`}
      </li>
      {studio.owner !== config.user.name && (
        <li>
          <Icon name="person" /> Owner {studio.owner}
        </li>
      )}
      {people.length > 0 && (
        <li>
          <Icon name="person" /> Here now: {people.join(", ")}
        </li>
      )}
    </ul>
  );
}
