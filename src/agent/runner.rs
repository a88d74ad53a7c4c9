//! Runs tasks as the planner says, through the catalogue of methods: it knows no protocol.
//!
//! A run whose method could ask nothing of the network is spooled as unmeasured, with the reason, for each metric
//! that it would have yielded: silence of the agent is never silence of the network.

use super::error::AgentError;
use super::uplink::{Shared, blocking, hold};
use crate::config::AgentConfig;
use crate::error::words;
use crate::schedule::{self, Start, Timed};
use broadgauge_model::clock::{Clock, Mono, Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{
    Counts, Direction, Load, Outcome, Reason, Sample, Singleton, Statistic, Values,
};
use broadgauge_model::task::{Instruction, Task};
use broadgauge_probes::catalogue::Method;
use broadgauge_probes::probe::{Context, Descriptor, Measurement, Probe, ProbeError, Stop};
use broadgauge_probes::score;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// However far away the next slot is, the calendar may have been set meanwhile.
const LOOK_AGAIN: Span = Span::secs(30);

/// Runs that end within this time go to the disk together: one write for all of them, not one each.
const TOGETHER: Span = Span::millis(200);

/// A task that is ready to run.
pub(super) struct Ready {
    timed: Timed,
    task: Task,
    probe: Arc<dyn Probe>,
    context: Context,
}

/// The measuring side.
pub(super) struct Runner {
    tasks: Vec<Ready>,
    shared: Arc<Shared>,
    told: watch::Receiver<Instruction>,
    stop: Stop,
    started: Wall,
}

type Ended = (Start, Wall, Result<Measurement, ProbeError>);

/// Runs that ended and are not on the disk yet.
#[derive(Default)]
struct Batch {
    samples: Vec<Sample>,
    runs: usize,
    /// When the first of them ended.
    since: Option<Mono>,
}

impl Runner {
    pub(super) fn new(
        config: &AgentConfig,
        methods: &'static [Method],
        shared: Arc<Shared>,
        told: watch::Receiver<Instruction>,
        stop: Stop,
    ) -> Result<Self, AgentError> {
        let tasks = ready_all(config, methods, &shared.clock, &stop)?;
        let started = shared.clock.wall();
        Ok(Self { tasks, shared, told, stop, started })
    }

    /// Runs until it is stopped; what runs then is asked to end, and spooled.
    pub(super) async fn run(mut self) -> Result<(), AgentError> {
        let timed: Vec<Timed> = self.tasks.iter().map(|ready| ready.timed.clone()).collect();
        let mut running: JoinSet<Ended> = JoinSet::new();
        let mut origins: BTreeMap<tokio::task::Id, (Start, Wall)> = BTreeMap::new();
        let mut batch = Batch::default();
        loop {
            let now = self.shared.clock.wall();
            let plan = {
                let instruction = self.told.borrow_and_update();
                let mut books = hold(&self.shared.books);
                let plan =
                    schedule::plan(&timed, books.past(), instruction.suppression.as_ref(), now, self.started);
                for task in &plan.set_back {
                    books.set_back(*task, now);
                }
                for missed in &plan.missed {
                    books.miss(*missed);
                }
                for start in &plan.start {
                    books.start(*start);
                }
                plan
            };
            for missed in &plan.missed {
                let (task, why) = (&self.tasks[missed.task].task.name, missed.why);
                tracing::debug!(task, count = missed.count, ?why, "runs are missed");
            }
            for start in plan.start {
                let handle = self.start(&mut running, start);
                origins.insert(handle, (start, now));
            }
            let mut wait = plan.wake.map_or(LOOK_AGAIN, |at| at.since(now).min(LOOK_AGAIN));
            if let Some(left) = self.keep_in_time(&mut batch).await {
                wait = wait.min(left);
            }
            tokio::select! {
                Some(ended) = running.join_next_with_id() => self.end(&timed, ended, &mut origins, &mut batch),
                () = tokio::time::sleep(wait.to_std()) => {}
                Ok(()) = self.told.changed() => {}
                () = self.stop.wait() => break,
            }
        }
        while !running.is_empty() {
            let wait = self.keep_in_time(&mut batch).await.unwrap_or(LOOK_AGAIN);
            tokio::select! {
                Some(ended) = running.join_next_with_id() => self.end(&timed, ended, &mut origins, &mut batch),
                () = tokio::time::sleep(wait.to_std()) => {}
            }
        }
        self.keep(batch).await;
        let shared = Arc::clone(&self.shared);
        blocking(move || hold(&shared.books).save()).await?;
        Ok(())
    }

    fn start(&self, running: &mut JoinSet<Ended>, start: Start) -> tokio::task::Id {
        let ready = &self.tasks[start.task];
        tracing::debug!(task = ready.task.name, late = start.late, "run begins");
        let (probe, mut context) = (Arc::clone(&ready.probe), ready.context.clone());
        context.seed = schedule::seed_of(context.seed, &start.slot.0.to_string());
        let began = self.shared.clock.wall();
        running.spawn(async move { (start, began, probe.run(&context).await) }).id()
    }

    /// Books the end of a run in memory. Its samples go to the disk with those of others.
    fn end(
        &self,
        timed: &[Timed],
        ended: Result<(tokio::task::Id, Ended), tokio::task::JoinError>,
        origins: &mut BTreeMap<tokio::task::Id, (Start, Wall)>,
        batch: &mut Batch,
    ) {
        let (id, start, began, result) = match ended {
            Ok((id, (start, began, result))) => (id, start, began, result.map_err(|e| words(&e))),
            Err(error) => {
                let Some(&(start, began)) = origins.get(&error.id()) else { return };
                (error.id(), start, began, Err("the method failed: this is a fault of the program".into()))
            }
        };
        origins.remove(&id);
        let ready = &self.tasks[start.task];
        let (samples, bytes_moved, singletons) = match result {
            Ok(mut measurement) => {
                let scores = score::of(&measurement);
                let scored: Vec<_> = scores.iter().filter_map(|score| score.sample(&measurement)).collect();
                measurement.samples.extend(scored);
                if measurement.interrupted {
                    for sample in &mut measurement.samples {
                        sample.details.insert("interrupted".into(), true.into());
                    }
                }
                (measurement.samples, measurement.bytes_moved, measurement.singletons)
            }
            Err(reason) => {
                tracing::warn!(task = ready.task.name, reason, "nothing could be measured");
                (unmeasured(ready.probe.describe(), &ready.context, began, &reason), 0, Vec::new())
            }
        };
        tracing::debug!(task = ready.task.name, samples = samples.len(), bytes_moved, "run ended");
        batch.samples.extend(samples);
        batch.runs += 1;
        batch.since.get_or_insert_with(|| self.shared.clock.mono());
        let mut books = hold(&self.shared.books);
        for lateness in singletons.iter().flat_map(|(_, all)| all).filter_map(lateness) {
            books.packet_left(lateness);
        }
        books.finish(start, &timed[start.task], self.shared.clock.wall(), bytes_moved);
    }

    /// Puts what ended on the disk once it has waited long enough for more; how long it still may wait, where it has not.
    async fn keep_in_time(&self, batch: &mut Batch) -> Option<Span> {
        let left = batch.since? + TOGETHER - self.shared.clock.mono();
        if left > Span::ZERO {
            return Some(left);
        }
        self.keep(std::mem::take(batch)).await;
        None
    }

    /// Puts what ended on the disk: the samples first, so that a run that is booked as done has its samples there.
    async fn keep(&self, batch: Batch) {
        if batch.runs == 0 {
            return;
        }
        let shared = Arc::clone(&self.shared);
        blocking(move || {
            let appended = hold(&shared.spool).append(&batch.samples);
            if let Err(error) = &appended {
                tracing::error!(error = words(error), samples = batch.samples.len(), "samples are lost");
                // The count stays in memory and is written with the next change. The run is over in any case: one that
                // is still booked as running would keep its task, and its line, from ever running again.
                if let Err(error) = hold(&shared.spool).count_dropped(batch.samples.len() as u64) {
                    tracing::error!(
                        error = words(&error),
                        "the count of lost samples is not on the disk yet"
                    );
                }
            }
            shared.spooled.notify_one();
            hold(&shared.books).save()
        })
        .await
        .unwrap_or_else(|error| {
            // The disk is full or gone. Measuring goes on: it may come back, and the loss is counted then.
            tracing::error!(error = words(&error), "the books cannot be kept");
        });
    }
}

/// Every task of a file with its probe built, or what is wrong with one of them.
pub(super) fn ready_all(
    config: &AgentConfig,
    methods: &'static [Method],
    clock: &Arc<dyn Clock>,
    stop: &Stop,
) -> Result<Vec<Ready>, AgentError> {
    config.tasks.iter().map(|task| ready(config, task, methods, clock, stop)).collect()
}

fn ready(
    config: &AgentConfig,
    task: &Task,
    methods: &'static [Method],
    clock: &Arc<dyn Clock>,
    stop: &Stop,
) -> Result<Ready, AgentError> {
    let wrong = |key: &str, problem: String| AgentError::Task {
        file: config.file.clone(),
        task: task.name.split('@').next().unwrap_or_default().to_owned(),
        key: key.to_owned(),
        problem,
    };
    let method = methods.iter().find(|method| method.descriptor.name == task.method).ok_or_else(|| {
        let known: Vec<_> = methods.iter().map(|method| method.descriptor.name).collect();
        wrong("method", format!("{:?} is not one of: {}", task.method, known.join(", ")))
    })?;
    let line = config.lines.iter().find(|line| line.line.line_id == task.line);
    let line = line.ok_or_else(|| wrong("line", format!("there is no line {:?}", task.line)))?;
    let target = config.targets.iter().find(|target| target.target.name == task.target);
    let target = target.ok_or_else(|| wrong("target", format!("there is no target {:?}", task.target)))?;
    let probe = (method.build)(&task.settings, target.key.as_ref()).map_err(|error| match error {
        ProbeError::Setting { key, problem, .. } => wrong(&format!("settings.{key}"), problem),
        other => wrong("settings", words(&other)),
    })?;
    let timed = Timed::new(task, method.descriptor.loads_the_line, &line.zone, config.seed)
        .map_err(|error| wrong("schedule", error.to_string()))?;
    let context = Context {
        line_id: task.line.clone(),
        target: task.target.clone(),
        binding: line.binding.clone(),
        stop: stop.clone(),
        ..Context::alone(
            &target.target.address,
            Arc::clone(clock),
            schedule::seed_of(config.seed, &task.name),
        )
    };
    Ok(Ready { timed, task: task.clone(), probe: Arc::from(probe), context })
}

/// How long after its time a packet left.
fn lateness(singleton: &Singleton) -> Option<Span> {
    match singleton.outcome {
        Outcome::Unmeasured(_) => None,
        _ => singleton.sent.map(|sent| sent - singleton.intended),
    }
}

fn unmeasured(method: &'static Descriptor, context: &Context, at: Wall, reason: &str) -> Vec<Sample> {
    let metrics = method.metrics.iter().filter_map(|id| MetricId::find(id));
    metrics
        .map(|metric| Sample {
            metric,
            method: method.name.to_owned(),
            method_version: method.version,
            line_id: context.line_id.clone(),
            target: Some(context.target.clone()),
            load: Load::Idle,
            direction: Direction::RoundTrip,
            started_at: at,
            lasted: Span::ZERO,
            statistic: Statistic::Singleton,
            values: Values::Unmeasured(Reason(reason.to_owned())),
            counts: Counts::default(),
            details: serde_json::Map::new(),
        })
        .collect()
}
