#include "web/status_page_parts.h"

namespace shortcircuit::page {

// Wide things (matrix, tables) scroll inside `.scroll`; the page itself never gets wider than the
// screen. Colours are variables, so that dark and light differ in one place.
std::string_view style_sheet() {
  return R"css(
:root{color-scheme:light dark;
--page:#f6f7f9;--panel:#fff;--text:#1b2129;--soft:#59636e;--line:#d9dee4;--code:#eef1f4;
--good:#1a7f47;--good-back:#e3f4e9;--bad:#bf1d28;--bad-back:#fdeaea;--warn:#8f5a00;--warn-back:#fdf1d8;
--unknown:#59636e;--unknown-back:#e8ebef;--link:#0b5cad}
@media(prefers-color-scheme:dark){:root{
--page:#0e1217;--panel:#161b22;--text:#dfe5ec;--soft:#97a2af;--line:#2b333d;--code:#0e1319;
--good:#56c784;--good-back:#12291c;--bad:#ff7b78;--bad-back:#3a1618;--warn:#e8b04d;--warn-back:#33260d;
--unknown:#97a2af;--unknown-back:#232a33;--link:#6cb0f5}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);overflow-wrap:anywhere;
font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
header,main,footer{max-width:1280px;margin:0 auto;padding:0 16px}
h1,h2,h3,p,ol,ul{margin:0;padding:0}
ol[role=list]{list-style:none}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}
code,.mono,.route-name,.object b,.link-text,.check,.mesh{unicode-bidi:isolate;
font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12.5px}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.good{--tone:var(--good);--back:var(--good-back)}.bad{--tone:var(--bad);--back:var(--bad-back)}
.warn{--tone:var(--warn);--back:var(--warn-back)}
.unknown,.off{--tone:var(--unknown);--back:var(--unknown-back)}
.symbol{font-weight:700;color:var(--tone)}
.state{color:var(--tone);font-weight:600;white-space:nowrap}
.beside,.since,.check,.hint,.more,.meta,.key{color:var(--soft);font-weight:400}
.beside,.since,.hint,.more,.meta{font-size:12.5px}
header{padding-top:14px}
.brand{display:flex;flex-wrap:wrap;gap:2px 16px;justify-content:space-between;align-items:baseline}
.brand .name{font-weight:700;letter-spacing:.02em}
.verdict{margin:8px 0 0;padding:10px 14px;font-size:19px;line-height:1.3;font-weight:650;border-radius:6px;
border-left:5px solid var(--tone);background:var(--back)}
.notice{margin:8px 0 0;padding:8px 14px;border-radius:6px;border-left:5px solid var(--tone);background:var(--back)}
.notice h3{font-size:13px;margin-bottom:2px}.notice ul{padding-left:18px}
section{margin-top:22px}
h2{font-size:16px;font-weight:650;margin-bottom:8px;padding-bottom:4px;border-bottom:1px solid var(--line)}
h3{font-size:13.5px;font-weight:600}
.hint,.more{margin:0 0 8px}.more{margin-top:6px}
.strip{display:grid;grid-template-columns:repeat(12,minmax(0,1fr));gap:4px}
.strip li{background:var(--panel);border:1px solid var(--line);border-top:4px solid var(--tone);border-radius:4px}
.strip li.bad{background:var(--bad-back)}
.strip li.off{border-top-style:dotted;opacity:.8}
.strip li.unknown{border-top-style:dashed}
.strip a,.strip div{display:flex;flex-direction:column;height:100%;padding:5px 8px 6px;color:inherit;text-decoration:none}
.strip .number,h3 .number{font-size:11.5px;color:var(--soft);font-weight:400}
.strip .lane{font-weight:600;font-size:13px;line-height:1.25;overflow-wrap:normal}
.strip .word{margin-top:auto;padding-top:4px;font-size:12.5px;color:var(--tone)}
.route{background:var(--panel);border:1px solid var(--line);border-left:4px solid var(--tone);border-radius:4px;
padding:7px 10px 9px;margin-bottom:6px}
.route .state{display:inline-block;min-width:62px}.route-name{font-size:14px;font-weight:650}
.chain{display:flex;flex-wrap:wrap;gap:5px 0;margin-top:6px}
.link{display:flex;align-items:center;max-width:100%}
.link:not(:last-child)::after{content:"→";color:var(--soft);padding:0 5px;flex:none}
.link>div{border:1px solid var(--line);border-radius:4px;padding:2px 7px;background:var(--back);min-width:0}
.link.good>div{background:transparent}
.link.bad>div{border-color:var(--tone)}.link.cause>div{box-shadow:0 0 0 1px var(--tone)}
.link.unknown>div{border-style:dashed}
.link-name{color:var(--soft);font-size:12px}
.reason a{color:var(--bad);font-size:12.5px}
.tag{font-size:11px;font-weight:700;text-transform:uppercase;letter-spacing:.05em;color:var(--panel);
background:var(--bad);border-radius:3px;padding:0 5px;white-space:nowrap}
#findings h3{margin:14px 0 5px}#findings h2+h3{margin-top:0}
.finding{background:var(--panel);border:1px solid var(--line);border-left:4px solid var(--tone);border-radius:4px;
padding:6px 10px 8px;margin-bottom:5px}
.finding-line{display:flex;flex-wrap:wrap;gap:0 12px;align-items:baseline}
.object b{font-size:13px}.since{margin-left:auto}
.message,.hosts,.cure{margin-top:2px}
.key{font-size:12px}
.cure{display:flex;gap:8px;align-items:baseline}
.cure code{flex:1;min-width:0;background:var(--code);border:1px solid var(--line);border-radius:4px;padding:3px 7px;
white-space:pre-wrap;-webkit-user-select:all;user-select:all}
.members{list-style:none;margin-top:2px}.members li{padding:1px 0}
.members b{font-weight:650}
.scroll{overflow-x:auto;max-width:100%;background:var(--panel);border:1px solid var(--line);border-radius:4px;margin-bottom:8px}
table{border-collapse:collapse;width:100%;overflow-wrap:normal}
caption{text-align:left;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;padding:6px 10px;color:var(--soft);font-size:12.5px}
th,td{text-align:left;vertical-align:top;padding:4px 10px;border-top:1px solid var(--line)}
thead th{font-size:12px;color:var(--soft);font-weight:600;vertical-align:bottom}
tbody th{font-weight:600;white-space:nowrap}
tbody td,tbody th{font-size:13px}
.replication td:nth-child(2),.replication td:nth-child(4),.dependents th{white-space:nowrap}
.number-cell{white-space:nowrap;font-variant-numeric:tabular-nums}
.none{color:var(--soft)}td.number-cell.none{color:color-mix(in srgb,var(--soft) 60%,transparent)}
.attention th,.attention td{background:var(--bad-back)}
.errors{min-width:220px;overflow-wrap:anywhere}
.dependents td{min-width:120px}
.mesh{width:auto;font-size:12px}
.mesh th,.mesh td{padding:0 3px;border:1px solid var(--line);line-height:20px}
.mesh thead th{height:1px;padding:4px 0}
.mesh thead th span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap;font-weight:500;line-height:22px}
.mesh thead th:first-child{vertical-align:bottom;padding:4px 8px;font-weight:400}
.mesh tbody th{padding:0 8px;font-weight:500;position:sticky;left:0;background:var(--panel);z-index:1}
.mesh td{width:24px;min-width:24px;text-align:center;background:var(--back);color:var(--tone);font-weight:700;font-size:13px}
.mesh td.off{background:transparent;font-weight:400}.mesh td.self{background:var(--line)}
.mesh td.unread{text-align:left;padding:0 8px;font-weight:400}
.mesh i{font-style:normal}
.mesh tbody tr:hover th,.mesh tbody tr:hover td{box-shadow:inset 0 1px var(--soft),inset 0 -1px var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;list-style:none;margin-bottom:8px}
.legend b{display:inline-block;min-width:22px;text-align:center;border:1px solid var(--line);border-radius:3px;
background:var(--back);color:var(--tone);margin-right:4px}
.bar{display:inline-block;width:72px;height:8px;border:1px solid var(--line);border-radius:3px;background:var(--code);
overflow:hidden;vertical-align:baseline;margin-right:6px}
.bar i{display:block;height:100%;background:var(--tone)}
footer{margin-top:26px;padding:10px 16px 24px;color:var(--soft);font-size:12.5px}
@media(max-width:1100px){.strip{grid-template-columns:repeat(6,minmax(0,1fr))}}
@media(max-width:700px){header,main,footer{padding-left:10px;padding-right:10px}
.strip{grid-template-columns:repeat(2,minmax(0,1fr))}
.strip a,.strip div{flex-direction:row;flex-wrap:wrap;gap:0 5px;align-items:baseline}
.strip .word{flex-basis:100%;padding-top:0}
.verdict{font-size:17px}.since{margin-left:0;flex-basis:100%}
.chain{flex-direction:column;gap:3px}.link:not(:last-child)::after{content:none}
.cure{flex-direction:column;gap:1px}.cure code{width:100%}}
@media print{body{background:#fff}.scroll{overflow:visible}.finding,.route,tr{break-inside:avoid}
footer nav{display:none}}
)css";
}

}  // namespace shortcircuit::page
