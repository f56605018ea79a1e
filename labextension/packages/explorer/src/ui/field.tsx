import * as React from "react";

/** What a field's control must carry, so that its label, help and error belong to it. */
export interface ControlProps {
  id: string;
  className: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
}

interface FieldProps {
  label: string;
  help?: React.ReactNode;
  error?: string | undefined;
  children: (control: ControlProps) => React.ReactNode;
}

export function Field({ label, help, error, children }: FieldProps) {
  const id = React.useId();
  const told = [help !== undefined && `${id}-help`, error !== undefined && `${id}-error`].filter(Boolean);
  return (
    <div className="dx-field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        className: "dx-input",
        "aria-describedby": told.join(" ") || undefined,
        "aria-invalid": error === undefined ? undefined : true,
      })}
      {help !== undefined && (
        <div id={`${id}-help`} className="dx-help">
          {help}
        </div>
      )}
      {error !== undefined && (
        <div id={`${id}-error`} className="dx-field-error" role="alert">
          {error}
        </div>
      )}
    </div>
  );
}

interface CheckProps {
  label: string;
  help?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}

export function Check({ label, help, checked, onChange }: CheckProps) {
  const id = React.useId();
  return (
    <div className="dx-check">
      <input
        type="checkbox"
        id={id}
        checked={checked}
        aria-describedby={help === undefined ? undefined : `${id}-help`}
        onChange={(event) => onChange(event.target.checked)}
      />
      <label htmlFor={id}>{label}</label>
      {help !== undefined && (
        <div id={`${id}-help`} className="dx-help">
          {help}
        </div>
      )}
    </div>
  );
}
