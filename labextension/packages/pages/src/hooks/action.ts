export { useAction } from "@jupyterhub-studios/explorer";
