//! The two ALIF neurons of Bellec et al., as their papers and code compute them, with the time step as the unit of time.
//! The reset takes effect one step after the spike and does not decay; what it subtracts differs.
//!
//! Surrogate: a triangle of height 0.3 in both, `0.3 max(0, 1 - |u|)`.

use neuron_runtime::neuron;

neuron! {
    /// LSNN (Bellec et al., 2018, "Long short-term memory and learning-to-learn in networks of spiking neurons"): the reset
    /// subtracts the raised threshold. The surrogate is of `u = (H - A) / A`, relative to the threshold.
    ///
    /// ```text
    /// a[t] = rho a[t-1] + (1 - rho) S[t-1]                          rho = exp(-1 / tau_a)
    /// A[t] = v_threshold + beta a[t]
    /// V[t] = alpha V[t-1] + (1 - alpha) X[t] - S[t-1] A[t]          alpha = exp(-1 / tau)
    /// S[t] = V[t] > A[t]
    /// ```
    pub struct Lsnn {
        /// Membrane time constant, in steps.
        param tau = 20.0 where tau > 0.0;
        /// Time constant of the threshold, in steps.
        param tau_a = 200.0 where tau_a > 0.0;
        /// How much the threshold rises.
        param beta = 1.6 where beta >= 0.0;
        param v_threshold = 1.0 where v_threshold > 0.0;
        state v = 0.0;
        /// Trace of the spikes.
        state a = 0.0;
        /// The last spike.
        state z = 0.0;

        let alpha = exp(-1.0 / tau);
        let rho = exp(-1.0 / tau_a);
        let trace = rho * a + (1.0 - rho) * z;
        let raised = v_threshold + beta * trace;
        charge = alpha * v + (1.0 - alpha) * x - z * raised;
        spike = if raised > 0.0 { (h - raised) / raised } else { 0.0 } > 0.0;
        update a = trace;
        update z = spike;
        reset none;
    }
}

neuron! {
    /// The ALIF neuron of e-prop (Bellec et al., 2020, "A solution to the learning dilemma for recurrent networks of spiking
    /// neurons", equations 6 to 10): the reset subtracts `v_threshold`, and the trace is not scaled. Inputs are not scaled
    /// either.
    ///
    /// ```text
    /// V[t] = alpha V[t-1] + X[t] - S[t-1] v_threshold               alpha = exp(-1 / tau)
    /// a[t] = rho a[t-1] + S[t-1]                                    rho = exp(-1 / tau_a)
    /// S[t] = V[t] >= v_threshold + beta a[t]
    /// ```
    pub struct Eprop {
        /// Membrane time constant, in steps.
        param tau = 20.0 where tau > 0.0;
        /// Time constant of the threshold, in steps.
        param tau_a = 200.0 where tau_a > 0.0;
        /// How much a spike raises the threshold.
        param beta = 0.07 where beta >= 0.0;
        state v = 0.0;
        /// Trace of the spikes.
        state a = 0.0;
        /// The last spike.
        state z = 0.0;

        let trace = exp(-1.0 / tau_a) * a + z;
        charge = exp(-1.0 / tau) * v + x - z * v_threshold;
        spike = h >= v_threshold + beta * trace;
        update a = trace;
        update z = spike;
        reset none;
    }
}
