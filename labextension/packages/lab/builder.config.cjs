// Added to the builder's own configuration: our sources, and the explorer's, are bundled as they are.
module.exports = {
  module: {
    rules: [
      {
        test: /\.tsx?$/,
        loader: "builtin:swc-loader",
        options: {
          jsc: {
            parser: { syntax: "typescript", tsx: true },
            // JupyterLab shares "react" alone: what the newer transform asks for would be another React's.
            transform: { react: { runtime: "classic" } },
            target: "es2022",
          },
        },
        type: "javascript/auto",
      },
    ],
  },
  resolve: {
    extensions: [".tsx", ".ts", ".js"],
    conditionNames: ["source", "..."],
  },
};
