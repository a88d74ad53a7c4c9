use super::*;
use crate::doc::Block;
use crate::render::Renderer;
use crate::render::html::Html;
use crate::study::planted::queues::Queues;
use crate::study::planted::repairs::Repairs;
use crate::study::{balance, closed_loop};
use broadgauge_model::text::Lang;

#[test]
fn the_first_page_names_the_worst_node_and_how_full_nodes_may_run() {
    let panel = Queues { bad_node: true, ..Queues::PLANTED }.panel(9);
    let balance = balance::study(&panel, &balance::Query { replicates: 199, ..balance::Query::of("A") });
    let treated = Repairs::of(0.7).panel(9);
    let closed =
        closed_loop::study(&treated, &closed_loop::Query { replicates: 99, ..closed_loop::Query::of("A") });
    let document = write(&panel, Studies { balance: &balance, closed_loop: &closed }, "A");
    let told: Vec<String> = document.sections[0]
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Answers(answers) => Some(answers),
            _ => None,
        })
        .flatten()
        .map(|a| format!("{} {}", a.text.get(Lang::En), a.detail.get(Lang::En)))
        .collect();
    assert!(told[0].contains("The worst is n007"), "{told:?}");
    assert!(told[1].contains("Customers begin to complain at"), "{told:?}");
    assert!(told[1].contains("chance alone"), "{told:?}");
    assert!(told[1].contains("verified actions") && told[1].contains("can be missed"), "{told:?}");
    assert!(told[2].contains("are verified"), "{told:?}");
    for lang in Lang::ALL {
        let page = String::from_utf8(Html.render(&document, lang).unwrap()).unwrap();
        assert!(!page.contains("NaN") && !page.contains("{node}") && !page.contains("{kind}"));
        for name in document.figure_names() {
            let chart = document.figure(name).unwrap().chart(lang);
            for width in [600.0, 860.0, 1000.0] {
                let scene = chart.scene(width, lang);
                assert_eq!(scene.faults(), Vec::<String>::new(), "{name} {} {width}", lang.tag());
                assert_eq!(scene.uncovered(), Vec::<char>::new(), "{name}");
            }
            assert!(!chart.table(lang).rows.is_empty(), "{name}");
        }
    }
    let names = [
        "worst-nodes",
        "balance-fttc",
        "treated-and-left-alone",
        "before-and-after",
        "control-loaded_round_trip_delay",
        "control-complaints",
    ];
    assert_eq!(document.figure_names(), names);
}
