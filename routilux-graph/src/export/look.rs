//! The colours of the pictures, as style sheets: one that has its own, for light and for dark, and one that has those of the
//! page that rustdoc writes.

/// A style sheet in one line. Each rule begins with the class of its picture, since a style sheet in a page is for all of it.
pub(super) fn style(root: &str, colours: &Colours) -> String {
    let Colours { ink, faint, back, head, border, accent, error, font } = colours;
    let rules = [
        ("text", format!("fill:{ink};font-family:{font};font-size:11px;dominant-baseline:central")),
        (".rtx-box", format!("fill:{back};stroke:{border};stroke-width:1")),
        (".rtx-head", format!("fill:{head}")),
        (".rtx-rule", format!("stroke:{border};stroke-width:1;fill:none")),
        (".rtx-unknown", format!("stroke:{error};stroke-dasharray:4 3")),
        (".rtx-end", format!("fill:{head};stroke:{accent};stroke-width:1")),
        (".rtx-name", "font-size:13px;font-weight:600".into()),
        (".rtx-type", format!("fill:{faint}")),
        (".rtx-note", format!("fill:{faint};font-size:10px;font-style:italic")),
        (".rtx-label", "font-size:10px".into()),
        (".rtx-paper", format!("fill:{back}")),
        (".rtx-pin", format!("fill:{back};stroke:{faint};stroke-width:1.2")),
        (".rtx-pin-on", format!("fill:{accent};stroke:{accent}")),
        (".rtx-pin-error", format!("fill:{error};stroke:{error}")),
        (".rtx-line", format!("fill:none;stroke:{faint};stroke-width:1.5")),
        (".rtx-tip", format!("fill:{faint};stroke:none")),
        (".rtx-loop", format!("stroke:{accent};stroke-dasharray:5 3")),
        (".rtx-loop-tip", format!("fill:{accent}")),
        (".rtx-error", format!("stroke:{error}")),
        (".rtx-error-tip", format!("fill:{error}")),
        (".rtx-link:hover .rtx-line", "stroke-width:3".into()),
        (".rtx-start", "text-anchor:start".into()),
        (".rtx-middle", "text-anchor:middle".into()),
        (".rtx-last", "text-anchor:end".into()),
    ];
    rules.iter().map(|(selector, rule)| format!(".{root} {selector}{{{rule}}}")).collect()
}

pub(super) struct Colours {
    /// Of texts.
    pub(super) ink: &'static str,
    /// Of lines, types and notes.
    pub(super) faint: &'static str,
    /// Of the page and of boxes.
    pub(super) back: &'static str,
    /// Of the upper part of a box.
    pub(super) head: &'static str,
    pub(super) border: &'static str,
    /// Of the ends of the flow, its feedback and pins that are connected.
    pub(super) accent: &'static str,
    pub(super) error: &'static str,
    pub(super) font: &'static str,
}

const FONT: &str = "ui-monospace,SFMono-Regular,'DejaVu Sans Mono',Menlo,Consolas,monospace";

pub(super) const LIGHT: Colours = Colours {
    ink: "#1f2328",
    faint: "#6a737d",
    back: "#ffffff",
    head: "#f3f5f8",
    border: "#c5ccd4",
    accent: "#2563b8",
    error: "#c2403c",
    font: FONT,
};

pub(super) const DARK: Colours = Colours {
    ink: "#e3e6ea",
    faint: "#959da8",
    back: "#16191d",
    head: "#23282e",
    border: "#454d57",
    accent: "#6cb0f5",
    error: "#f0766f",
    font: FONT,
};

/// What the themes of rustdoc are written in.
pub(super) const RUSTDOC: Colours = Colours {
    ink: "var(--main-color)",
    faint: "color-mix(in srgb,var(--main-color) 62%,var(--main-background-color))",
    back: "var(--main-background-color)",
    head: "var(--code-block-background-color)",
    border: "color-mix(in srgb,var(--main-color) 28%,var(--main-background-color))",
    accent: "var(--link-color)",
    error: "color-mix(in srgb,#e5534b 85%,var(--main-color))",
    font: "var(--font-family-code)",
};
