/** The page: defines `<render-stream>`, which starts to connect at once where the document already has one. */

import { RenderStream } from "./ui/element";
import { pageStyles } from "./ui/styles";

customElements.define("render-stream", RenderStream);
document.adoptedStyleSheets = [pageStyles()];
