import { useId, type ReactNode } from "react";
import { Icon } from "./icons";

/** What a field's control must carry, so that its label, help and error belong to it. */
export interface ControlProps {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
}

interface FieldProps {
  label: string;
  help?: ReactNode;
  error?: string | undefined;
  className?: string;
  children: (control: ControlProps) => ReactNode;
}

export function Field({ label, help, error, className = "", children }: FieldProps) {
  const id = useId();
  const told = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={`st-field ${className}`}>
      <label htmlFor={id} className="form-label">
        {label}
      </label>
      {children({ id, "aria-describedby": told || undefined, "aria-invalid": error ? true : undefined })}
      {help && (
        <div id={`${id}-help`} className="form-text">
          {help}
        </div>
      )}
      {error && <FieldError id={`${id}-error`}>{error}</FieldError>}
    </div>
  );
}

export function FieldError({ id, children }: { id: string; children: ReactNode }) {
  return (
    <div id={id} className="st-field-error" role="alert">
      <Icon name="warning" /> {children}
    </div>
  );
}
