import { useState } from "react";
import type { MountSpec, MountView } from "../api/types";
import { FieldError } from "../components/field";
import { Icon } from "../components/icons";
import { useApp } from "../hooks/app";
import { usePolled } from "../hooks/polled";
import { Estimate } from "./estimate";
import { mountName, mountNameError } from "./names";
import { MountPicker } from "./picker";
import { Access } from "./words";

interface MountsFieldProps {
  mounts: MountSpec[];
  /** Of the compute environment: it says what is writable. */
  environment: string;
  error?: string | undefined;
  disabled?: boolean;
  onChange: (mounts: MountSpec[]) => void;
}

/** The data that a studio gets as folders: chosen in the Data Explorer, each with its name and why it is as it is. */
export function MountsField({ mounts, environment, error, disabled = false, onChange }: MountsFieldProps) {
  const { client } = useApp();
  const [picking, setPicking] = useState(false);
  const asked = mounts.map(({ link, path }) => ({ link, path, name: null, profile: "random" as const }));
  const check = usePolled(JSON.stringify([environment, asked]), async () =>
    asked.length === 0 ? [] : (await client.checkMounts(environment, asked)).items,
  );
  const replace = (index: number, change: Partial<MountSpec>): void =>
    onChange(mounts.map((mount, at) => (at === index ? { ...mount, ...change } : mount)));

  return (
    <fieldset className="st-mounts" disabled={disabled}>
      <legend className="form-label">Data</legend>
      <p className="form-text">
        Buckets and folders that the studio gets as ordinary folders below <code>/workspace/data</code>.
      </p>
      {mounts.length > 0 && (
        <ul className="st-mount-list">
          {mounts.map((mount, index) => (
            <MountRow
              key={`${mount.link} ${mount.path}`}
              mount={mount}
              number={index + 1}
              seen={check.data?.[index]}
              error={mountNameError(mounts, index)}
              onChange={(change) => replace(index, change)}
              onRemove={() => onChange(mounts.filter((_, at) => at !== index))}
            />
          ))}
        </ul>
      )}
      {check.problem && <FieldError id="mounts-check">{check.problem.title}</FieldError>}
      {error && <FieldError id="mounts-error">{error}</FieldError>}
      <button
        type="button"
        name="mounts"
        className="btn btn-sm btn-outline-secondary"
        aria-describedby={error ? "mounts-error" : undefined}
        onClick={() => setPicking(true)}
      >
        <Icon name="plus" /> Add data
      </button>
      {picking && (
        <MountPicker
          onClose={() => setPicking(false)}
          onPick={(link, path, title) => {
            setPicking(false);
            if (mounts.some((one) => one.link === link && one.path === path)) return;
            const name = mountName(
              title,
              mounts.map((one) => one.name ?? ""),
            );
            onChange([...mounts, { link, path, name, profile: "random" }]);
          }}
        />
      )}
    </fieldset>
  );
}

interface MountRowProps {
  mount: MountSpec;
  number: number;
  seen: MountView | undefined;
  error: string | undefined;
  onChange: (change: Partial<MountSpec>) => void;
  onRemove: () => void;
}

function MountRow({ mount, number, seen, error, onChange, onRemove }: MountRowProps) {
  const errorId = `mount-${number}-error`;
  return (
    <li className="st-mount">
      <div className="st-mount-inputs">
        <span className="st-mount-place">data/</span>
        <input
          className="form-control form-control-sm"
          aria-label={`Name of mount ${number}`}
          aria-invalid={error ? true : undefined}
          aria-describedby={error ? errorId : undefined}
          value={mount.name ?? ""}
          maxLength={63}
          onChange={(event) => onChange({ name: event.target.value })}
        />
        <select
          className="form-select form-select-sm"
          aria-label={`How mount ${number} is read`}
          title="Pieces here and there: BAM, Parquet, Zarr, HDF5. Whole files: from one end to the other."
          value={mount.profile}
          onChange={(event) => onChange({ profile: event.target.value === "stream" ? "stream" : "random" })}
        >
          <option value="random">read in pieces</option>
          <option value="stream">read as whole files</option>
        </select>
        <button
          type="button"
          className="btn btn-sm btn-link"
          aria-label={`Remove mount ${mount.name ?? ""}`}
          onClick={onRemove}
        >
          <Icon name="trash" />
        </button>
      </div>
      {error && <FieldError id={errorId}>{error}</FieldError>}
      {seen !== undefined && (
        <div className="st-mount-about">
          <code>{seen.url ?? mount.link}</code>
          <Access mount={seen} />
          {seen.warning !== "" && <Estimate mount={seen} />}
        </div>
      )}
    </li>
  );
}
