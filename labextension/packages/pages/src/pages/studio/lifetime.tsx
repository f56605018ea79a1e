import { useState } from "react";
import type { Lifetime as LifetimeView, Studio } from "../../api/types";
import { Icon } from "../../components/icons";
import { Left } from "../../components/left";
import { ProblemBanner } from "../../components/problem";
import { useAction } from "../../hooks/action";
import { useApp } from "../../hooks/app";
import { useNow } from "../../hooks/reach";
import { duration } from "../../text";
import { noticeTo } from "./stop-dialog";

const STEPS = [1, 2, 4, 8, 24];
const SOON = 3_600_000; // milliseconds before the end in which the page points at it

interface LifetimeProps {
  studio: Studio;
  put: (studio: Studio) => void;
}

/** Why a running studio is kept and when it would end, or the question whether somebody is there. */
export function Lifetime({ studio, put }: LifetimeProps) {
  const { lifetime } = studio;
  if (studio.state !== "running" || lifetime === null) return null;
  return lifetime.verdict === "prompt" ? (
    <StillThere studio={studio} lifetime={lifetime} put={put} />
  ) : (
    <Kept studio={studio} lifetime={lifetime} put={put} />
  );
}

type PartProps = LifetimeProps & { lifetime: LifetimeView };

/** "1 h" as people say it in a button. */
function spoken(minutes: number): string {
  return minutes === 60 ? "an hour" : duration(minutes * 60_000);
}

function StillThere({ studio, lifetime, put }: PartProps) {
  const { client, config } = useApp();
  const { busy, problem, clear, run } = useAction();
  return (
    <section className="alert alert-warning st-notice" role="alert" aria-labelledby="still-there">
      <Icon name="clock" />
      <div className="st-notice-body">
        <h2 id="still-there">Still there?</h2>
        <p>{lifetime.reasons.join(" ")}</p>
        {lifetime.answer_by !== null && (
          <p>
            Without an answer it is saved and stopped in{" "}
            <strong>
              <Left until={lifetime.answer_by} />
            </strong>
            .
          </p>
        )}
        <div className="st-lifetime-buttons">
          <button
            type="button"
            className="btn btn-primary"
            disabled={busy}
            onClick={() => void run(async () => put(await client.keep(studio.id)))}
          >
            Keep for {spoken(lifetime.keep_minutes)}
          </button>
          {studio.may.includes("stop") && (
            <button
              type="button"
              className="btn btn-outline-secondary"
              disabled={busy}
              onClick={() =>
                void run(async () =>
                  put(await client.stop(studio.id, false, noticeTo(studio, config.user.name))),
                )
              }
            >
              Save and stop now
            </button>
          )}
        </div>
        {problem && <ProblemBanner problem={problem} onDismiss={clear} />}
      </div>
    </section>
  );
}

function Kept({ studio, lifetime, put }: PartProps) {
  const now = useNow(10_000);
  const { ends_at, idle_ends_at, kept_until } = lifetime;
  const soon = ends_at !== null && Date.parse(ends_at) - now < SOON;
  return (
    <section className={`st-panel st-lifetime ${soon ? "st-lifetime-soon" : ""}`} aria-labelledby="lifetime">
      <h2 id="lifetime">How long it runs</h2>
      <ul>
        <li>
          <Icon name="check" /> {lifetime.reasons.join(" ")}
          {kept_until !== null && (
            <>
              {" "}
              For another <Left until={kept_until} />.
            </>
          )}
        </li>
        {idle_ends_at !== null && (
          <li>
            <Icon name="moon" /> If nothing happens it is asked about, and saved and stopped in{" "}
            <Left until={idle_ends_at} />.
          </li>
        )}
        <li>
          <Icon name={soon ? "warning" : "clock"} />{" "}
          {ends_at === null ? (
            "Its lifespan has no end."
          ) : (
            <>
              Its lifespan ends in <Left until={ends_at} />. It is saved and stopped then.
            </>
          )}
        </li>
      </ul>
      {lifetime.extend_hours > 0 && <Extend studio={studio} most={lifetime.extend_hours} put={put} />}
    </section>
  );
}

function Extend({ studio, most, put }: LifetimeProps & { most: number }) {
  const { client, announce } = useApp();
  const { busy, problem, clear, run } = useAction();
  const [wanted, setWanted] = useState(1);
  const offered = STEPS.filter((hours) => hours <= most);
  const hours = offered.includes(wanted) ? wanted : 1;
  const extend = () =>
    run(async () => {
      put(await client.extend(studio.id, hours));
      announce(`Extended by ${hours} h`);
    });
  return (
    <>
      <form
        className="st-extend"
        onSubmit={(event) => {
          event.preventDefault();
          void extend();
        }}
      >
        <select
          className="form-select form-select-sm"
          aria-label="Extend by"
          value={hours}
          onChange={(event) => setWanted(Number(event.target.value))}
        >
          {offered.map((step) => (
            <option key={step} value={step}>
              {step} h
            </option>
          ))}
        </select>
        <button type="submit" className="btn btn-sm btn-outline-primary" disabled={busy}>
          Extend
        </button>
      </form>
      {problem && <ProblemBanner problem={problem} onDismiss={clear} />}
    </>
  );
}
