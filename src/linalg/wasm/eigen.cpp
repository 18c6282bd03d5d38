/**
 * Dense linear algebra for WebAssembly, on Eigen (eigen.tuxfamily.org, MPL-2.0). `npm run build:eigen` makes module.ts of this
 * file.
 *
 * Every function works on one region of memory that the caller has filled with the operands, one after another, row by row. The
 * results take their place. It returns 0, or 1 where the matrix has no such decomposition. Nothing here keeps state.
 *
 * Two steps of the symmetric eigendecomposition are written out. Eigen's own run at half the speed where it counts most: in a
 * process that decomposes a few large matrices once. Browsers and Node compile a function well only after many calls of it, and
 * Eigen puts the whole of each step into one long call. Here all work is done in short functions that are called often.
 */
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Householder>
#include <Eigen/Jacobi>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace {

using Eigen::Index;

template <typename Scalar>
using Columns = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;
template <typename Scalar>
using Rows = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename Scalar>
using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

/** A = Q T Qᵀ with T tridiagonal. Q is kept as Householder vectors below the diagonal of `a`, and their coefficients. */
template <typename Scalar>
struct Tridiagonal {
  Vector<Scalar> diagonal, below, coefficients;
};

/** How many columns' reflections are applied to the rest of the matrix at once. */
constexpr Index BLOCK = 32;

/**
 * Householder tridiagonalisation by blocks (Dongarra, Hammarling & Sorensen 1989; LAPACK's dsytrd and dlatrd, lower half): within
 * a block the rest A of the matrix is not updated; it stands for A − V Wᵀ − W Vᵀ.
 */
template <typename Scalar>
Tridiagonal<Scalar> tridiagonalise(Eigen::Ref<Columns<Scalar>> a) {
  const Index n = a.rows();
  Tridiagonal<Scalar> t{Vector<Scalar>(n), Vector<Scalar>(n - 1), Vector<Scalar>(n - 1)};
  Columns<Scalar> w(n, BLOCK);
  for (Index first = 0; first < n - 1; first += BLOCK) {
    const Index columns = std::min(BLOCK, n - 1 - first);
    for (Index k = 0; k < columns; k++) {
      const Index j = first + k;
      const Index rest = n - 1 - j;
      if (k > 0) {
        const auto V = a.block(j, first, rest + 1, k);
        const auto W = w.block(j, 0, rest + 1, k);
        a.col(j).tail(rest + 1).noalias() -= V * W.row(0).transpose();
        a.col(j).tail(rest + 1).noalias() -= W * V.row(0).transpose();
      }
      t.diagonal[j] = a(j, j);
      a.col(j).tail(rest).makeHouseholderInPlace(t.coefficients[j], t.below[j]);
      a(j + 1, j) = 1;

      const auto v = a.col(j).tail(rest);
      auto next = w.col(k).tail(rest);
      next.noalias() = a.bottomRightCorner(rest, rest).template selfadjointView<Eigen::Lower>() * (t.coefficients[j] * v);
      if (k > 0) {
        const auto V = a.block(j + 1, first, rest, k);
        const auto W = w.block(j + 1, 0, rest, k);
        const Vector<Scalar> alongW = t.coefficients[j] * (W.transpose() * v);
        const Vector<Scalar> alongV = t.coefficients[j] * (V.transpose() * v);
        next.noalias() -= V * alongW;
        next.noalias() -= W * alongV;
      }
      next -= (Scalar(0.5) * t.coefficients[j] * next.dot(v)) * v;
    }
    const Index rest = n - first - columns;
    const auto V = a.block(first + columns, first, rest, columns);
    const auto W = w.block(first + columns, 0, rest, columns);
    a.bottomRightCorner(rest, rest).template triangularView<Eigen::Lower>() -= V * W.transpose();
    a.bottomRightCorner(rest, rest).template triangularView<Eigen::Lower>() -= W * V.transpose();
  }
  t.diagonal[n - 1] = a(n - 1, n - 1);
  return t;
}

/**
 * Collects the plane rotations of many QR sweeps, and applies them to Q together: a few rows at a time, which stay in the cache.
 */
template <typename Scalar>
class Sweeps {
 public:
  explicit Sweeps(Columns<Scalar>& q) : q(q), panel(ROWS * q.cols()) {}

  /** Begins a sweep at column `first`. */
  void begin(Index first) { sweeps.push_back({first, 0}); }

  /** Adds the next rotation of the sweep that was begun last. */
  void add(Scalar c, Scalar s) {
    rotations.push_back({c, s});
    sweeps.back().count++;
  }

  bool full() const { return Index(rotations.size()) >= HELD * q.cols(); }

  void apply() {
    const Index n = q.cols();
    for (Index row = 0; row < n; row += ROWS) {
      const Index rows = std::min(ROWS, n - row);
      for (Index j = 0; j < n; j++) std::copy_n(&q(row, j), rows, &panel[j * ROWS]);
      const Rotation* next = rotations.data();
      for (const auto& [first, count] : sweeps) {
        rotate(&panel[first * ROWS], next, count);
        next += count;
      }
      for (Index j = 0; j < n; j++) std::copy_n(&panel[j * ROWS], rows, &q(row, j));
    }
    rotations.clear();
    sweeps.clear();
  }

 private:
  struct Rotation {
    Scalar c, s;
  };
  struct Sweep {
    Index first, count;
  };

  /** Rows of a panel: four SIMD registers. */
  static constexpr Index ROWS = 64 / sizeof(Scalar);
  /** How many rotations are collected for each column of Q. */
  static constexpr Index HELD = 64;

  /** Rotates neighbouring columns. The column that the next rotation uses again stays in registers. */
  EIGEN_DONT_INLINE static void rotate(Scalar* column, const Rotation* rotations, Index count) {
    Scalar left[ROWS];
    std::copy_n(column, ROWS, left);
    for (Index k = 0; k < count; k++, column += ROWS) {
      const auto [c, s] = rotations[k];
      for (Index i = 0; i < ROWS; i++) {
        const Scalar right = column[ROWS + i];
        column[i] = c * left[i] - s * right;
        left[i] = s * left[i] + c * right;
      }
    }
    std::copy_n(left, ROWS, column);
  }

  Columns<Scalar>& q;
  std::vector<Scalar> panel;
  std::vector<Rotation> rotations;
  std::vector<Sweep> sweeps;
};

/** The eigenvalue of the last 2 x 2 block that is closer to its corner (Wilkinson 1968). */
template <typename Scalar>
Scalar wilkinsonShift(Scalar before, Scalar beside, Scalar corner) {
  const Scalar half = (before - corner) / 2;
  // beside² alone could underflow.
  const Scalar ratio = beside / (half + std::copysign(std::hypot(half, beside), half));
  return corner - beside * ratio;
}

/** One implicit QR sweep over the unreduced block first … last (Golub & Van Loan 2013, algorithm 8.3.2). */
template <typename Scalar>
EIGEN_DONT_INLINE void sweep(Vector<Scalar>& d, Vector<Scalar>& e, Index first, Index last, Sweeps<Scalar>& sweeps) {
  Scalar x = d[first] - wilkinsonShift(d[last - 1], e[last - 1], d[last]);
  Scalar bulge = e[first];
  sweeps.begin(first);
  for (Index k = first; k < last && bulge != 0; k++) {
    Eigen::JacobiRotation<Scalar> rotation;
    rotation.makeGivens(x, bulge);
    const Scalar c = rotation.c(), s = rotation.s();
    const Scalar upper = c * d[k] - s * e[k], lower = c * e[k] - s * d[k + 1];
    const Scalar across = s * d[k] + c * e[k], down = s * e[k] + c * d[k + 1];
    d[k] = c * upper - s * lower;
    d[k + 1] = s * across + c * down;
    e[k] = c * across - s * down;
    if (k > first) e[k - 1] = c * e[k - 1] - s * bulge;
    x = e[k];
    if (k + 1 < last) {
      bulge = -s * e[k + 1];
      e[k + 1] *= c;
    }
    sweeps.add(c, s);
  }
}

/** The most sweeps that an eigenvalue may take, on average. */
constexpr Index PATIENCE = 30;

/** Finds T = Z diag(d) Zᵀ and makes Q Z of Q. False if this does not converge. Entries of T must be of the order of 1. */
template <typename Scalar>
bool diagonalise(Vector<Scalar>& d, Vector<Scalar>& e, Columns<Scalar>& q) {
  const Scalar epsilon = std::numeric_limits<Scalar>::epsilon();
  const Scalar smallest = std::numeric_limits<Scalar>::min();
  Sweeps<Scalar> sweeps(q);
  Index patience = PATIENCE * d.size();
  Index first = 0;
  for (Index last = d.size() - 1; last > 0;) {
    for (Index i = first; i < last; i++) {
      if (std::abs(e[i]) <= std::max(smallest, epsilon * std::sqrt(std::abs(d[i]) + std::abs(d[i + 1])))) e[i] = 0;
    }
    while (last > 0 && e[last - 1] == 0) last--;
    if (last == 0) break;
    if (patience-- == 0) return false;
    first = last - 1;
    while (first > 0 && e[first - 1] != 0) first--;
    sweep(d, e, first, last, sweeps);
    if (sweeps.full()) sweeps.apply();
  }
  sweeps.apply();
  return true;
}

template <typename Scalar>
int symmetricEigen(Scalar* region, Index n) {
  Eigen::Map<Columns<Scalar>> a(region, n, n);
  auto t = tridiagonalise<Scalar>(a);
  Columns<Scalar> q = Eigen::HouseholderSequence<Eigen::Map<Columns<Scalar>>, Vector<Scalar>>(a, t.coefficients)
                          .setLength(n - 1)
                          .setShift(1);
  if (!diagonalise(t.diagonal, t.below, q)) return 1;
  Eigen::Map<Rows<Scalar>>(region, n, n) = q;
  Eigen::Map<Vector<Scalar>>(region + n * n, n) = t.diagonal;
  return 0;
}

using Map = Eigen::Map<Rows<double>>;

}  // namespace

extern "C" {

/** A [n, n] with a largest entry of the order of 1, then room for n numbers, become V [n, n] and λ [n] in any order. */
int symmetric_eigen_f64(double* region, int n) { return symmetricEigen(region, Index(n)); }
int symmetric_eigen_f32(float* region, int n) { return symmetricEigen(region, Index(n)); }

/** A [n, n] becomes L [n, n]. */
int cholesky(double* region, int n) {
  Map a(region, n, n);
  const Eigen::LLT<Eigen::Ref<Rows<double>>> decomposition(a);
  a.triangularView<Eigen::StrictlyUpper>().setZero();
  return decomposition.info() == Eigen::Success ? 0 : 1;
}

/** L [n, n] and B [n, k]: B becomes the X of L X = B, or of Lᵀ X = B. */
int triangular_solve(double* region, int n, int k, int transposed) {
  const Map l(region, n, n);
  Map b(region + Index(n) * n, n, k);
  if (transposed) {
    l.triangularView<Eigen::Lower>().transpose().solveInPlace(b);
  } else {
    l.triangularView<Eigen::Lower>().solveInPlace(b);
  }
  return 0;
}

/** A [m, k] and B [k, n], then room for m n numbers, which becomes A B. */
int multiply(double* region, int m, int k, int n) {
  const Map a(region, m, k);
  const Map b(region + Index(m) * k, k, n);
  Map product(region + Index(m) * k + Index(k) * n, m, n);
  product.noalias() = a * b;
  return 0;
}

}
