"""The formats, as the preview worker reads them: untrusted bytes in, a preview out."""
