use super::*;
use crate::stats::path_model::survey;

/// The synthetic survey of the path model's own tests, with two segments.
fn survey() -> Survey {
    let rows = survey::answers();
    Survey {
        answers: rows.each().map(|row| row.iter().map(|a| Some(*a)).collect()).collect(),
        segments: (0..rows.len()).map(|i| Some(if i % 3 == 0 { "city" } else { "country" }.into())).collect(),
        ..Survey::default()
    }
}

fn query() -> Query {
    Query { replicates: 100, ..Query::of("A") }
}

#[test]
fn the_standard_model_answers_with_intervals_everywhere() {
    let got = study(&survey(), &query());
    assert!(got.declined.is_none() && got.respondents == 250, "{:?}", got.declined);
    assert_eq!((got.constructs.len(), got.paths.len()), (7, 12));
    // plspm 0.5.7, Scale.NUM, path scheme: image to expectation.
    let path = got.paths[0].coefficient.as_estimate().unwrap();
    assert!((path.value() - 0.505_774_1).abs() < 1e-6 && path.n() == 250);
    for construct in &got.constructs {
        let index = construct.index.as_estimate().unwrap();
        assert!(index.value() > 0.0 && index.value() < 100.0 && index.interval().0 < index.interval().1);
        assert_eq!(construct.segments.len(), 2);
        assert!(construct.segments.iter().all(|s| s.index.as_estimate().is_some()));
    }
    assert!(got.constructs[0].r_squared.is_none() && got.constructs[4].r_squared.is_some());
    assert!(got.constructs[5].alpha.is_none() && got.constructs[2].alpha.unwrap() > 0.7);
    let effects: Vec<&str> = got.importance.iter().map(|i| i.construct.as_str()).collect();
    assert_eq!(effects.len(), 4, "{effects:?}");
    assert!(!serde_json::to_string(&got).unwrap().contains("NaN"));
}

#[test]
fn respondents_who_did_not_answer_all_are_counted_apart() {
    let mut survey = survey();
    survey.answers[0][3] = None;
    survey.answers[1][3] = Some(11.0);
    let got = study(&survey, &query());
    assert_eq!(got.respondents, 248);
    assert_eq!(got.head.notes.iter().map(|n| n.count).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn too_few_respondents_and_models_in_circles_are_declined() {
    let mut few = survey();
    few.answers.truncate(12);
    assert!(study(&few, &query()).declined.unwrap().reason.to_string().contains("respondents"));
    let mut circle = query();
    circle.model.paths.push(("loyalty".into(), "image".into()));
    assert!(study(&survey(), &circle).declined.unwrap().reason.to_string().contains("circle"));
    let mut unknown = query();
    unknown.model.paths.push(("image".into(), "price".into()));
    assert!(study(&survey(), &unknown).declined.is_some());
}

#[test]
fn a_small_segment_is_declined_and_the_others_stand() {
    let mut survey = survey();
    for (i, segment) in survey.segments.iter_mut().enumerate() {
        *segment = (i < 250).then(|| if i < 5 { "island" } else { "country" }.into());
    }
    let got = study(&survey, &query());
    let rows = &got.constructs[0].segments;
    assert!(rows[0].index.as_estimate().is_some() && rows[1].index.as_declined().is_some());
    assert_eq!(rows[1].segment, "island");
}

#[test]
fn threads_change_no_byte() {
    let json = || serde_json::to_string(&study(&survey(), &query())).unwrap();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(json);
    assert_eq!(one, json());
}
