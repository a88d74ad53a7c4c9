//! A plain table of covariates: rows of equal width, all finite.

use super::refusal::{Answer, all_finite, at_least, same_length};

/// Covariates, row by row, without a column for the intercept: every model adds its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    width: usize,
    values: Vec<f64>,
    count: usize,
}

impl Rows {
    /// No row yet, of `width` covariates; 0 leaves the intercept alone.
    pub const fn new(width: usize) -> Self {
        Self { width, values: Vec::new(), count: 0 }
    }

    /// Columns side by side; at least one.
    pub fn of_columns<C: AsRef<[f64]>>(columns: &[C]) -> Answer<Self> {
        at_least(columns.len(), 1, "columns")?;
        let count = columns[0].as_ref().len();
        let mut rows = Self::new(columns.len());
        for column in columns {
            same_length(column.as_ref().len(), count, "two columns")?;
            all_finite(column.as_ref(), "a covariate")?;
        }
        rows.values.reserve(count * columns.len());
        for i in 0..count {
            rows.values.extend(columns.iter().map(|column| column.as_ref()[i]));
        }
        rows.count = count;
        Ok(rows)
    }

    /// Adds a row.
    pub fn push(&mut self, row: &[f64]) -> Answer<()> {
        same_length(row.len(), self.width, "the covariates of a row and of the model")?;
        all_finite(row, "a covariate")?;
        self.values.extend_from_slice(row);
        self.count += 1;
        Ok(())
    }

    /// How many rows there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no row.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many covariates a row has.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// One row.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.width..(i + 1) * self.width]
    }

    /// All rows in order; rows without covariates are empty slices.
    pub fn each(&self) -> impl Iterator<Item = &[f64]> {
        (0..self.count).map(|i| self.row(i))
    }

    /// One column.
    pub fn column(&self, k: usize) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().skip(k).step_by(self.width.max(1)).copied()
    }

    /// The rows for which `keep` holds, in order.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut kept = Self::new(self.width);
        for i in (0..self.count).filter(|&i| keep(i)) {
            kept.values.extend_from_slice(self.row(i));
            kept.count += 1;
        }
        kept
    }

    /// These columns, then those of `other`.
    pub fn beside(&self, other: &Self) -> Answer<Self> {
        same_length(self.count, other.count, "two tables")?;
        let mut both = Self::new(self.width + other.width);
        for i in 0..self.count {
            both.values.extend_from_slice(self.row(i));
            both.values.extend_from_slice(other.row(i));
        }
        both.count = self.count;
        Ok(both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Refusal;

    #[test]
    fn columns_become_rows_and_stay_in_order() {
        let rows = Rows::of_columns(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).unwrap();
        assert_eq!((rows.len(), rows.width()), (3, 2));
        assert_eq!(rows.row(1), [2.0, 5.0]);
        assert_eq!(rows.column(1).collect::<Vec<_>>(), [4.0, 5.0, 6.0]);
        assert_eq!(rows.filtered(|i| i != 1).row(1), [3.0, 6.0]);
        assert_eq!(rows.beside(&rows).unwrap().row(2), [3.0, 6.0, 3.0, 6.0]);
    }

    #[test]
    fn ragged_or_broken_columns_are_refused() {
        assert!(matches!(Rows::of_columns(&[vec![1.0], vec![]]), Err(Refusal::LengthMismatch { .. })));
        assert!(matches!(Rows::of_columns(&[[f64::NAN]]), Err(Refusal::NotFinite { .. })));
        assert!(matches!(Rows::of_columns::<Vec<f64>>(&[]), Err(Refusal::TooFew { .. })));
        assert!(matches!(Rows::new(2).push(&[1.0]), Err(Refusal::LengthMismatch { .. })));
    }

    #[test]
    fn rows_without_covariates_are_still_rows() {
        let mut rows = Rows::new(0);
        rows.push(&[]).unwrap();
        rows.push(&[]).unwrap();
        assert_eq!((rows.len(), rows.row(1).len(), rows.each().count()), (2, 0, 2));
    }
}
