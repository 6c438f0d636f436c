/** The stylesheet of a report: light and dark by the reader's choice, for narrow screens and paper too. It includes the colours and rules of the drawings. */
import { DARK, LIGHT, type Scheme, stylesheet } from '../../draw/palette.ts';

const SANS = 'system-ui,-apple-system,Segoe UI,Roboto,DejaVu Sans,sans-serif';
const MONO = 'ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace';

/** The stylesheet. `data-theme="light"` or `"dark"` on the root overrides the reader's scheme. */
export function reportStyle(): string {
  return `
${stylesheet()}
:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
:root[data-theme=light]{color-scheme:light;${variables(LIGHT)}}
:root[data-theme=dark]{color-scheme:dark;${variables(DARK)}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.55 ${SANS}}
main,header,footer{max-width:62rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem}
h1,p{overflow-wrap:anywhere}
h1{font-size:2rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.35rem;margin:3rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.75rem 0 .5rem}
p,ul,ol,dl{margin:.6rem 0;max-width:46rem}
a{color:var(--link)}
code,.mono{font-family:${MONO};font-size:.9em}
pre{font:.85rem/1.5 ${MONO};overflow-x:auto;padding:.75rem 1rem;background:var(--soft);border-radius:6px}
.question{font-size:1.2rem;color:var(--faint)}
.facts{display:flex;flex-wrap:wrap;gap:.5rem 2rem;padding:0;list-style:none;max-width:none}
.facts b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
.warn{padding:.6rem 1rem;border-left:4px solid var(--no);background:var(--soft)}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:0;list-style:none;max-width:none}
.conclusions{padding:0;list-style:none;max-width:52rem}
.conclusions li{display:grid;grid-template-columns:9rem 1fr;gap:.25rem 1rem;padding:.55rem 0;border-bottom:1px solid var(--line)}
.conclusions li:last-child{border-bottom:0}
.conclusions .about{font-weight:600}
.conclusions p{margin:0 0 .4rem}
figure{margin:1.25rem 0;overflow-x:auto}
figcaption,caption,small,.faint{color:var(--faint)}
figcaption{font-size:.9rem;margin-top:.35rem;max-width:46rem}
figure svg{display:block;min-width:34rem}
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding-bottom:.35rem}
th,td{padding:.3rem .7rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th[scope=row]{font-weight:400;white-space:nowrap}
.n{text-align:right;white-space:nowrap}
.yes{color:var(--yes)}
.no{color:var(--no)}
details{margin:.75rem 0}
summary{cursor:pointer;color:var(--link)}
dt{font-weight:600;margin-top:.6rem}
dd{margin-left:0}
footer{margin-top:3rem;padding-bottom:3rem;color:var(--faint);font-size:.9rem}
@media (max-width:40rem){.conclusions li{grid-template-columns:1fr}h1{font-size:1.6rem}}
@media print{details{display:block}details>*{display:block}nav{display:none}figure,tr,li{break-inside:avoid}}
`;
}

function variables({ page, text, faint, line, hues }: Scheme): string {
  const { blue, green, red, grey } = hues;
  return Object.entries({ page, text, faint, line, link: blue.ink, yes: green.ink, no: red.ink })
    .map(([name, colour]) => `--${name}:${colour}`)
    .concat(`--soft:color-mix(in srgb,${grey.fill} 45%,${page})`)
    .join(';');
}
