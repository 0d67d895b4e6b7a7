//! The one picture: round tables, people around them, and somebody on the way to the next.

use leptos::prelude::*;

use crate::i18n::{t_string, use_i18n};

/// A table in the picture: centre, radius, its number, and where its people sit, in degrees.
struct Table {
    x: f64,
    y: f64,
    r: f64,
    number: u16,
    seats: &'static [f64],
    empty: Option<f64>,
}

const TABLES: [Table; 3] = [
    Table { x: 150.0, y: 142.0, r: 62.0, number: 1, seats: &[200.0, 262.0, 140.0, 84.0], empty: Some(20.0) },
    Table { x: 420.0, y: 120.0, r: 56.0, number: 2, seats: &[215.0, 285.0, 345.0], empty: Some(150.0) },
    Table { x: 318.0, y: 322.0, r: 70.0, number: 3, seats: &[20.0, 75.0, 130.0, 330.0], empty: Some(205.0) },
];

/// Round tables drawn by hand.
#[component]
pub fn Scene() -> impl IntoView {
    let i18n = use_i18n();
    let tables = TABLES.iter().map(draw).collect_view();
    view! {
        <svg class="scene" viewBox="0 0 560 440" role="img" aria-label=move || t_string!(i18n, home.picture).to_string()>
            // The floor, a little crooked, as one draws it.
            <path
                class="scene-floor"
                d="M42 96C66 34 150 24 236 28s186-18 252 18 66 130 50 204-44 152-128 172-190 14-276-14S20 268 22 200s8-76 20-104Z"
            />
            // The ways from table to table.
            <path class="scene-way" d="M214 178c14 38 28 62 52 88" />
            <path class="scene-way" d="M388 226c20-14 36-30 40-46" />
            <path class="scene-way" d="M362 92c-44-26-98-22-142 2" />
            <path class="scene-tip" d="M252 262l15 5-2-16" />
            <path class="scene-tip" d="M418 190l11-12 5 15" />
            <path class="scene-tip" d="M233 83l-15 12 18 4" />
            {tables}
            // Those who are on their way carry the colour of the table they come from.
            <g class="table-c1 scene-walker">
                <circle cx="228" cy="216" r="15" />
                <path d="M222 214q6 8 12 0" />
            </g>
            <g class="table-c3 scene-walker">
                <circle cx="412" cy="206" r="15" />
                <path d="M406 204q6 8 12 0" />
            </g>
            <g class="table-c2 scene-walker">
                <circle cx="292" cy="75" r="15" />
                <path d="M286 73q6 8 12 0" />
            </g>
        </svg>
    }
}

fn draw(table: &Table) -> impl IntoView + use<> {
    let Table { x, y, r, number, seats, empty } = *table;
    let people = seats
        .iter()
        .enumerate()
        .map(|(index, angle)| {
            let (px, py) = around(x, y, r + 27.0, *angle);
            // The host of the table is filled, as on the floor of the console.
            let class = if index == 0 { "scene-person scene-host" } else { "scene-person" };
            view! {
                <g class=class>
                    <circle cx=px cy=py r="16" />
                    <path d=format!("M{:.1} {:.1}q6 8 12 0", px - 6.0, py - 2.0) />
                </g>
            }
        })
        .collect_view();
    let chair = empty.map(|angle| {
        let (px, py) = around(x, y, r + 27.0, angle);
        view! { <circle class="scene-chair" cx=px cy=py r="15" /> }
    });
    // Notes on the cloth, and a cup.
    let (n1, n2) = ((x - r * 0.62, y - r * 0.32), (x + r * 0.2, y + r * 0.2));
    view! {
        <g class=format!("table-c{number}")>
            <circle class="scene-shade" cx=x + 3.0 cy=y + 6.0 r=r />
            <circle class="scene-cloth" cx=x cy=y r=r />
            <circle class="scene-hem" cx=x cy=y r=r - 7.0 />
            <rect
                class="scene-note"
                x=n1.0
                y=n1.1
                width=r * 0.4
                height=r * 0.4
                transform=format!("rotate(-9 {:.1} {:.1})", n1.0, n1.1)
            />
            <rect
                class="scene-note scene-note-2"
                x=n2.0
                y=n2.1
                width=r * 0.38
                height=r * 0.38
                transform=format!("rotate(8 {:.1} {:.1})", n2.0, n2.1)
            />
            <circle class="scene-cup" cx=x - r * 0.3 cy=y + r * 0.46 r=r * 0.15 />
            <circle class="scene-coffee" cx=x - r * 0.3 cy=y + r * 0.46 r=r * 0.09 />
            <text class="scene-number" x=x + r * 0.32 y=y - r * 0.2 font-size=r * 0.5>
                {number}
            </text>
            {people}
            {chair}
        </g>
    }
}

/// A place around a centre; 0° is to the right, clockwise.
fn around(x: f64, y: f64, r: f64, angle: f64) -> (f64, f64) {
    let angle = angle.to_radians();
    let round = |v: f64| (v * 10.0).round() / 10.0;
    (round(x + r * angle.cos()), round(y + r * angle.sin()))
}
