import { useState } from "react";
import type { Package } from "../api/types";
import { count } from "../text";

const MANAGERS: Record<Package["manager"], string> = { dpkg: "apt", pip: "pip", r: "R", conda: "conda" };
const FEW = 10;

/** What was installed since the base: one list for each package manager, long ones folded. */
export function Installed({ packages }: { packages: Package[] }) {
  if (packages.length === 0) return null;
  const managers = [...new Set(packages.map((p) => p.manager))];
  return (
    <details className="st-installed">
      <summary>
        {count(packages.length, "package")} changed{" "}
        <span className="text-body-secondary">
          (
          {managers.map((m) => `${packages.filter((p) => p.manager === m).length} ${MANAGERS[m]}`).join(", ")}
          )
        </span>
      </summary>
      {managers.map((manager) => (
        <Group
          key={manager}
          title={MANAGERS[manager]}
          packages={packages.filter((p) => p.manager === manager)}
        />
      ))}
    </details>
  );
}

function Group({ title, packages }: { title: string; packages: Package[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? packages : packages.slice(0, FEW);
  return (
    <div className="st-installed-group">
      <h4>{title}</h4>
      <ul>
        {shown.map((p) => (
          <li key={p.name} className={`st-package st-package-${p.change}`}>
            <span className="visually-hidden">{p.change} </span>
            <span aria-hidden="true">{{ added: "+", changed: "~", removed: "−" }[p.change]}</span> {p.name}{" "}
            <span className="text-body-secondary">{p.version}</span>
          </li>
        ))}
      </ul>
      {packages.length > FEW && (
        <button
          type="button"
          className="btn btn-sm btn-link"
          aria-expanded={all}
          onClick={() => setAll(!all)}
        >
          {all ? "Show fewer" : `Show all ${packages.length}`}
        </button>
      )}
    </div>
  );
}
