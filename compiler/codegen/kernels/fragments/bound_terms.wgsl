// One element of the variational bound, in nats, and its derivatives: what `compiler/ops/bound_terms.ts` says, in float32.

// a term, and its derivatives by the distance of the means and by the logarithm of the model's variance
struct Term { value: f32, by_mean: f32, by_log_variance: f32 }

// linked:

// exp(x) - 1
fn expm1(x: f32) -> f32 {
  let series = x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0))))));
  return select(exp(x) - 1.0, series, abs(x) < 0.4);
}

// exp(x) - 1 - x
fn expm2(x: f32) -> f32 {
  let series = x * x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0 * (1.0 + x / 8.0))))));
  return select(exp(x) - 1.0 - x, series, abs(x) < 0.6);
}

// KL of Gaussians whose means are `distance` apart
fn divergence_term(distance: f32, posterior: f32, log_variance: f32) -> Term {
  let z = posterior - log_variance;
  let sharpness = exp(-log_variance);
  let square = distance * distance * sharpness;
  return Term(0.5 * (expm2(z) + square), distance * sharpness, 0.5 * (-expm1(z) - square));
}

const SCALE = 0.7978845608028654;   // sqrt(2 / pi)
const CUBIC = 0.044715;

// twice the argument of the tanh that approximates the normal distribution's integral
fn twice(u: f32) -> f32 {
  return 2.0 * SCALE * (u + CUBIC * u * u * u);
}

fn slope(u: f32) -> f32 {
  return 2.0 * SCALE * (1.0 + 3.0 * CUBIC * u * u);
}

// drivers may give infinity for exp: what is divided by it is 0
fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exp(-max(x, -87.0)));
}

// minus the logarithm of the probability of x in its bin by a Gaussian whose mean is x less `distance`
fn decoder_term(x: f32, distance: f32, log_variance: f32) -> Term {
  let inverse = exp(-0.5 * log_variance);
  let plus = inverse * (distance + 1.0 / 255.0);
  let minus = inverse * (distance - 1.0 / 255.0);
  let below = x < -0.999;
  let above = x > 0.999;
  let cubic = plus * plus + plus * minus + minus * minus;
  let between = -expm1(-2.0 * SCALE * inverse * (2.0 / 255.0) * (1.0 + CUBIC * cubic));
  let share = select(between, 1.0, below || above);
  let upper = select(sigmoid(twice(plus)), 1.0, above);
  let lower = select(sigmoid(-twice(minus)), 1.0, below);
  let probability = upper * lower * share;
  if (probability < 1e-12) { return Term(27.631021115928547, 0.0, 0.0); }
  let of_plus = select(slope(plus) * sigmoid(-twice(plus)) / (share * lower), 0.0, above);
  let of_minus = select(-slope(minus) * sigmoid(twice(minus)) / (share * upper), 0.0, below);
  return Term(-log(probability), -inverse * (of_plus + of_minus), 0.5 * (plus * of_plus + minus * of_minus));
}

// fills: the term of an element of an image, whose means are `distance` apart
fn term_of(image: f32, distance: f32, posterior: f32, log_variance: f32, first: bool) -> Term {
  if (first) { return decoder_term(image, distance, log_variance); }
  return divergence_term(distance, posterior, log_variance);
}
