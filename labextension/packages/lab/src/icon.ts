import { LabIcon } from "@jupyterlab/ui-components";

/** A bucket with what it holds. JupyterLab colours the strokes by the theme. */
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M12 3C7.6 3 4 4.6 4 6.6l2.1 12.3c.3 1.2 2.9 2.1 5.9 2.1s5.6-.9 5.9-2.1L20 6.6C20 4.6 16.4 3 12 3Zm0 1.8c3.7 0 6.2 1.1 6.2 1.8S15.700 8.400 12 8.400 5.800 7.300 5.800 6.600 8.300 4.800 12 4.800Zm0 5.400c2.500 0 4.600-.500 6-1.300l-1.600 9.600c-.300.300-1.900.900-4.400.900s-4.100-.600-4.400-.900L6 8.900c1.400.800 3.500 1.300 6 1.300Z"/>
    <path d="M8.700 12.200h6.600l-.2 1.700H8.900Zm.4 3.300h5.800l-.2 1.700H9.300Z"/>
  </g>
</svg>`;

export const dataIcon = new LabIcon({ name: "jupyterhub-studios:data", svgstr: svg });

/** Three people in a line of sight. */
const share = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <g class="jp-icon3" fill="#616161">
    <circle cx="12" cy="3.6" r="2.1"/><circle cx="4" cy="8" r="2.1"/><circle cx="12" cy="12.4" r="2.1"/>
    <path d="m5.500 6.500 4.600-2.600.5.900-4.600 2.600ZM5.500 9.500l4.600 2.600.5-.9L6 8.600Z"/>
  </g>
</svg>`;

export const shareIcon = new LabIcon({ name: "jupyterhub-studios:share", svgstr: share });
