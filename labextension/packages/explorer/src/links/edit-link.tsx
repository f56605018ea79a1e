import * as React from "react";
import { useExplorer } from "../context";
import { useAction } from "../hooks/use-action";
import { ROLE_WORDS } from "../rights";
import { DATA_ROLES, type DataRole, type LinkPatch, type LinkView } from "../types";
import { Dialog } from "../ui/dialog";
import { Check, Field } from "../ui/field";

interface EditLinkProps {
  link: LinkView;
  onClose: () => void;
  onChanged: () => void;
}

export function EditLink({ link, onClose, onChanged }: EditLinkProps) {
  const { client, host } = useExplorer();
  const [name, setName] = React.useState(link.name);
  const [description, setDescription] = React.useState(link.description);
  const [writable, setWritable] = React.useState(link.writable);
  const [workspace, setWorkspace] = React.useState(link.workspace ?? "");
  const [role, setRole] = React.useState<DataRole>(link.workspace_role ?? "download");
  const { busy, problem, run } = useAction();
  const save = (): void => {
    const patch: LinkPatch = {};
    if (name.trim() !== link.name) patch.name = name.trim();
    if (description !== link.description) patch.description = description;
    if (writable !== link.writable) patch.writable = writable;
    if (workspace !== (link.workspace ?? "")) patch.workspace = workspace;
    if (workspace !== "" && role !== link.workspace_role) patch.workspace_role = role;
    void run(() => client.changeLink(link.id, patch)).then((done) => done && onChanged());
  };
  const field = problem?.field ?? undefined;
  return (
    <Dialog
      title={`Edit “${link.name}”`}
      action="Save"
      busy={busy}
      problem={field === "name" ? undefined : problem}
      onClose={onClose}
      onSubmit={save}
    >
      <Field label="Name" error={field === "name" ? problem?.detail : undefined}>
        {(control) => (
          <input {...control} value={name} maxLength={80} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
      <DescriptionField value={description} onChange={setDescription} />
      <WritableField provider={link.provider} value={writable} onChange={setWritable} />
      <WorkspaceFields
        workspaces={host.workspaces}
        workspace={workspace}
        role={role}
        onWorkspace={setWorkspace}
        onRole={setRole}
      />
    </Dialog>
  );
}

export function DescriptionField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <Field label="Description">
      {(control) => (
        <textarea
          {...control}
          rows={2}
          maxLength={2048}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

interface WritableFieldProps {
  provider: LinkView["provider"];
  value: boolean;
  onChange: (value: boolean) => void;
}

export function WritableField({ provider, value, onChange }: WritableFieldProps) {
  return (
    <Check
      label="May be written through this link"
      help={`Upload, rename, move and delete${provider === "folder" ? "" : ", as far as the credential allows"}. Off: nothing is changed by mistake.`}
      checked={value}
      onChange={onChange}
    />
  );
}

interface WorkspaceFieldsProps {
  workspaces: string[];
  workspace: string;
  role: DataRole;
  onWorkspace: (workspace: string) => void;
  onRole: (role: DataRole) => void;
}

/** To whom a link is offered, and what they may do with it. Who has no workspace sees nothing of it. */
export function WorkspaceFields({ workspaces, workspace, role, onWorkspace, onRole }: WorkspaceFieldsProps) {
  const known = workspace === "" || workspaces.includes(workspace) ? workspaces : [workspace, ...workspaces];
  if (known.length === 0) return null;
  return (
    <div className="dx-columns">
      <Field label="Offer to a workspace" help="Its members use your credential, and never see it.">
        {(control) => (
          <select {...control} value={workspace} onChange={(event) => onWorkspace(event.target.value)}>
            <option value="">Nobody: for me alone</option>
            {known.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        )}
      </Field>
      {workspace !== "" && (
        <Field label="Its members may">
          {(control) => (
            <select {...control} value={role} onChange={(event) => onRole(event.target.value as DataRole)}>
              {DATA_ROLES.map((one) => (
                <option key={one} value={one}>
                  {ROLE_WORDS[one]}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </div>
  );
}
