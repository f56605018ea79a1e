import * as React from "react";
import { Icon, type IconName } from "./icons";

interface ButtonProps extends React.ButtonHTMLAttributes<HTMLButtonElement> {
  icon?: IconName | undefined;
  kind?: "primary" | "danger" | "plain" | "quiet";
  /** Why it cannot be pressed: it stays reachable, so that everybody can learn the reason. */
  reason?: string | undefined;
}

export const Button = React.forwardRef<HTMLButtonElement, ButtonProps>(function Button(
  { icon, kind = "plain", reason, className = "", children, onClick, title, ...rest },
  ref,
) {
  return (
    <button
      type="button"
      ref={ref}
      className={`dx-button dx-button-${kind} ${className}`}
      title={reason ?? title}
      aria-disabled={reason === undefined ? undefined : true}
      onClick={reason === undefined ? onClick : undefined}
      {...rest}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children}
      {reason !== undefined && <span className="dx-sr"> ({reason})</span>}
    </button>
  );
});

/** A button with a picture alone; `label` is its name and its tip. */
export const IconButton = React.forwardRef<
  HTMLButtonElement,
  Omit<ButtonProps, "children" | "icon"> & { icon: IconName; label: string }
>(function IconButton({ icon, label, className = "", kind = "quiet", title, ...rest }, ref) {
  return (
    <Button
      ref={ref}
      kind={kind}
      icon={icon}
      className={`dx-icon-button ${className}`}
      aria-label={rest.reason === undefined ? label : `${label} (${rest.reason})`}
      title={title ?? label}
      {...rest}
    />
  );
});
