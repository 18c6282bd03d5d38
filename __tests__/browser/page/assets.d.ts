/** A file that the bundler serves: Vite's `?url`. */
declare module '*?url' {
  const url: string;
  export default url;
}
