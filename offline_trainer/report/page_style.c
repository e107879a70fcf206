/* SPDX-License-Identifier: GPL-3.0-or-later */
/* page_style.c -- how the page looks: light, dark, narrow and on paper.
 *
 * The colours of series and of right, wrong and foreign are spread in hue and in lightness after Okabe and Ito's set, so
 * that eyes which see two of the three primaries tell them apart; dashes and signs say the same once more. */
#include "page.h"

#include <stddef.h>

/* Only the child and descendant combinators without '>' and '&' may be used here: the page is XML too. */
const char *const VIP_PAGE_STYLE[] = {
    ":root{--paper:#fcfcfb;--card:#fff;--ink:#1b1f24;--soft:#57606a;--hair:#d9dde2;--wash:#f1f3f5;--link:#0a58a8;"
    "--s0:#0072b2;--s1:#d55e00;--s2:#00805f;--s3:#b0478f;--s4:#3d4650;--s5:#2b95cf;--s6:#9a6f00;--s7:#6a4fc0;"
    "--right:#0072b2;--wrong:#d55e00;--ood:#7a6a99;--on:#fff;--best:#fff3cf}\n",
    "@media "
    "(prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1b1f25;--ink:#e8eaed;--soft:#a5adb8;--hair:#373e48;"
    "--wash:#23282f;--link:#7ebcf5;--s0:#5cb3f2;--s1:#ff8f4a;--s2:#37c99c;--s3:#ea93cb;--s4:#cfd5dc;--s5:#9fdcff;"
    "--s6:#e8c25a;--s7:#b6a2ff;--right:#5cb3f2;--wrong:#ff8f4a;--ood:#bba8e0;--on:#10141a;--best:#4a3d12}}\n",
    "@media print{:root{--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--hair:#ccc;--wash:#f3f3f3;--link:#000;"
    "--s0:#0072b2;--s1:#d55e00;--s2:#00805f;--s3:#b0478f;--s4:#3d4650;--s5:#2b95cf;--s6:#9a6f00;--s7:#6a4fc0;"
    "--right:#0072b2;--wrong:#d55e00;--ood:#7a6a99;--on:#fff;--best:#fff3cf}}\n",
    "*{box-sizing:border-box}\n",
    "html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}\n",
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,"
    "'Noto Sans','DejaVu Sans',sans-serif}\n",
    "main{max-width:74rem;margin:0 auto;padding:1.5rem clamp(.9rem,3vw,2.5rem) 4rem}\n",
    "h1{font-size:clamp(1.6rem,4.5vw,2.3rem);line-height:1.15;margin:.5rem 0 .4rem;letter-spacing:-.015em;"
    "overflow-wrap:anywhere}\n",
    "h2{font-size:1.4rem;line-height:1.2;margin:0 0 .3rem;letter-spacing:-.01em}\n",
    "h3{font-size:1rem;line-height:1.3;margin:0 0 .4rem;overflow-wrap:anywhere}\n",
    "h3.apart,.plot.apart{margin-top:1.6rem}\n",
    "section{margin:3rem 0 0;padding-top:1.4rem;border-top:1px solid var(--hair)}\n",
    "a{color:var(--link)}\n",
    ".lead{color:var(--soft);max-width:46rem;margin:0 0 1.1rem}\n",
    "nav{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:1rem 0 0;font-size:.94rem}\n",
    ".runs{list-style:none;margin:1rem 0 "
    "0;padding:0;display:grid;gap:.6rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr))}\n",
    ".runs li{padding:.55rem .8rem;background:var(--card);border:1px solid var(--hair);border-radius:.5rem;"
    "overflow-wrap:anywhere}\n",
    ".runs .key{font-weight:600}\n",
    ".runs p{margin:.15rem 0 0;color:var(--soft);font-size:.9rem}\n",
    ".runs .note{color:var(--ink)}\n",
    ".note::before{content:'\\26A0\\FE0E\\00A0'}\n",
    ".keys{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:0 0 .7rem;font-size:.92rem}\n",
    ".key{display:inline-flex;align-items:center;gap:.45rem;overflow-wrap:break-word;min-width:0}\n",
    ".key svg{flex:none}\n",
    ".plots{display:grid;gap:1.1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));"
    "align-items:start}\n",
    ".pair{display:grid;gap:1.1rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));align-items:"
    "start}\n",
    "figure{margin:0;min-width:0}\n",
    ".plot{background:var(--card);border:1px solid var(--hair);border-radius:.6rem;padding:.8rem .8rem .6rem;"
    "max-width:34rem}\n",
    ".wide{background:var(--card);border:1px solid var(--hair);border-radius:.6rem;padding:.8rem;margin:1.1rem 0 0}\n",
    "figcaption,.how{color:var(--soft);font-size:.9rem;line-height:1.45;max-width:46rem;margin:.5rem 0 0}\n",
    ".how{margin:.9rem 0 0}\n",
    "svg{display:block;max-width:100%}\n",
    ".plot svg[role=img]{width:100%;height:auto}\n",
    ".key svg,.range{display:inline-block}\n",
    ".scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}\n",
    ".scroll:focus-visible{outline:2px solid var(--link);outline-offset:2px}\n",
    ".scroll svg{max-width:none}\n",
    "table{border-collapse:collapse;font-size:.94rem;font-variant-numeric:tabular-nums}\n",
    "th,td{padding:.5rem .8rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--hair)}\n",
    "thead th{border-bottom:2px solid var(--soft);vertical-align:bottom;min-width:8.2rem;"
    "max-width:16rem}\n",
    "tbody th{font-weight:600;position:sticky;left:0;background:var(--paper);min-width:8.5rem;max-width:19rem}\n",
    "tbody th small,td small{display:block;font-weight:400;color:var(--soft);font-size:.82rem;line-height:1.35}\n",
    "th.group{padding-top:1.2rem;background:none;color:var(--soft);font-weight:600;max-width:none;"
    "position:static;border-bottom-color:var(--soft)}\n",
    "td.best{background:var(--best)}\n",
    "td b{font-weight:500}\n",
    "td.best b{font-weight:700}\n",
    "td.text{overflow-wrap:anywhere;max-width:22rem}\n",
    ".range{vertical-align:middle;margin-top:.15rem}\n",
    ".same td,.same th{color:var(--soft)}\n",
    "details{margin:1rem 0 0}\n",
    "summary{cursor:pointer;font-weight:600;overflow-wrap:anywhere}\n",
    "ol.pairs{margin:.4rem 0 0;padding-left:1.6rem;columns:19rem;column-gap:2.2rem;font-size:.94rem}\n",
    "footer{margin:3.5rem 0 0;padding-top:1rem;border-top:1px solid var(--hair);color:var(--soft);font-size:.88rem}\n",
    "svg text{font:12.5px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif;"
    "fill:var(--soft);font-variant-numeric:tabular-nums}\n",
    "svg text.label{fill:var(--ink)}\n",
    "svg text.strong{fill:var(--ink);font-weight:600}\n",
    "svg text.name{fill:var(--ink);font-size:11.5px}\n",
    "svg text.count{fill:var(--ink);font-size:12px}\n",
    "svg text.on{fill:var(--on)}\n",
    "svg .mid{text-anchor:middle}\n",
    "svg .end{text-anchor:end}\n",
    ".grid{stroke:var(--hair);stroke-width:1;fill:none}\n",
    ".axis{stroke:var(--soft);stroke-width:1;fill:none}\n",
    ".diagonal{stroke:var(--soft);stroke-width:1.4;stroke-dasharray:5 4;fill:none}\n",
    ".median{stroke:var(--ink);stroke-width:2;fill:none}\n",
    ".whisker{stroke:var(--soft);stroke-width:2;fill:none}\n",
    ".line{fill:none;stroke-width:2.1;stroke-linejoin:round;stroke-linecap:round}\n",
    ".mark{stroke:var(--card);stroke-width:1}\n",
    ".bar{fill:var(--s0);fill-opacity:.55}\n",
    ".amount{fill:var(--soft);fill-opacity:.55}\n",
    ".over{fill:var(--wrong);fill-opacity:.3;stroke:var(--wrong);stroke-width:1.2}\n",
    ".under{fill:none;stroke:var(--right);stroke-width:1.4;stroke-dasharray:3 2}\n",
    ".right,.hit{fill:var(--right)}\n",
    ".wrong,.miss{fill:var(--wrong)}\n",
    ".ood{fill:var(--ood)}\n",
    ".field{fill:var(--wash)}\n",
    ".line.s0,.ci.s0{stroke:var(--s0)}.mark.s0{fill:var(--s0)}\n",
    ".line.s1{stroke:var(--s1);stroke-dasharray:8 4}.ci.s1{stroke:var(--s1)}.mark.s1{fill:var(--s1)}\n",
    ".line.s2{stroke:var(--s2);stroke-dasharray:2.5 4}.ci.s2{stroke:var(--s2)}.mark.s2{fill:var(--s2)}\n",
    ".line.s3{stroke:var(--s3);stroke-dasharray:9 4 2 4}.ci.s3{stroke:var(--s3)}.mark.s3{fill:var(--s3)}\n",
    ".line.s4{stroke:var(--s4);stroke-dasharray:14 4}.ci.s4{stroke:var(--s4)}.mark.s4{fill:var(--s4)}\n",
    ".line.s5{stroke:var(--s5);stroke-dasharray:5 3}.ci.s5{stroke:var(--s5)}.mark.s5{fill:var(--s5)}\n",
    ".line.s6{stroke:var(--s6);stroke-dasharray:9 3 2 3 2 3}.ci.s6{stroke:var(--s6)}.mark.s6{fill:var(--s6)}\n",
    ".line.s7{stroke:var(--s7);stroke-dasharray:4 6}.ci.s7{stroke:var(--s7)}.mark.s7{fill:var(--s7)}\n",
    ".ci{stroke-width:2.5;stroke-linecap:round;fill:none}\n",
    "@media (max-width:34rem){body{font-size:15px}.plot,.wide{padding:.55rem .45rem}th,td{padding:.45rem .5rem}"
    "tbody th{min-width:7rem;max-width:9.5rem}thead th{min-width:7rem}section{margin-top:2.2rem}}\n",
    "@media print{body{font-size:10.5pt}main{max-width:none;padding:0}nav{display:none}"
    "figure,tr,.runs li{break-inside:avoid}h2,h3,.lead,summary{break-after:avoid}.scroll{overflow:visible}"
    ".scroll svg{max-width:100%;height:auto}tbody th{position:static}"
    ".plots{grid-template-columns:repeat(2,1fr)}.pair{display:block}.plot.apart,.pair .plot{max-width:12.5cm}"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}\n",
    NULL,
};
