// The page "What if": counts from the printed equations times the shipped draws of costs, as `mmiocost predict` does.
var mmiocostWhatIf = (function () {
  "use strict";
  const block = document.querySelector("script[data-what-if]");
  if (!block) return null;
  const prefix = block.id.slice(0, -"what-if-data".length);  // in the single file each page's ids have one
  const data = JSON.parse(block.textContent), kept = new Map();
  const names = ["machine", "mode", "after", "guest_levels", "slots", "mmio_rate", "hits", "hit_fraction",
    "generation_rate", "true_fault_fraction", "fill_rate"];
  const at = (name) => document.getElementById(prefix + "w-" + name);

  function costs(place, parameter) {
    const column = data.index[place][parameter];
    if (!kept.has(column)) {
      const text = atob(data.columns[column]), view = new DataView(new ArrayBuffer(text.length));
      for (let i = 0; i < text.length; i += 1) view.setUint8(i, text.charCodeAt(i));
      kept.set(column, Float64Array.from({ length: data.draws }, (_, i) => Math.exp(view.getFloat32(4 * i, true))));
    }
    return kept.get(column);
  }

  // Occurrences by cost parameter: fitting/parameters.parameter_counts with the settings of the machine.
  function byParameter(terms, place) {
    const settings = data.places[place].settings, found = {};
    let exits = 0;
    for (const [name, count] of Object.entries(terms)) {
      if (name.startsWith("vm_exit_")) exits += count;
      if (Object.hasOwn(data.settings, name)) {
        for (const part of data.settings[name]) found[name + ":" + part] = count * (settings[part] || 0);
      } else if (name !== data.free) found[name] = count;
    }
    for (const [event, ridden] of Object.entries(data.ridden)) {
      const count = event === data.anchor ? exits : terms[event] || 0;
      for (const part of ridden) found[event + ":" + part] = count * (settings[part] || 0);
    }
    return found;
  }

  function quantile(ordered, share) {
    const place = share * (ordered.length - 1), below = Math.floor(place);
    return ordered[below] + (place - below) * (ordered[Math.ceil(place)] - ordered[below]);
  }

  function interval(terms, place) {
    const total = new Float64Array(data.draws);
    for (const [name, count] of Object.entries(byParameter(terms, place))) {
      if (count === 0) continue;
      const cost = costs(place, name);
      for (let i = 0; i < total.length; i += 1) total[i] += count * cost[i];
    }
    total.sort();
    const tail = (1 - 0.95) / 2;
    return { value: quantile(total, 0.5), low: quantile(total, tail), high: quantile(total, 1 - tail) };
  }

  function full(base, state, after) {
    const values = Object.assign({}, base.values);
    for (const name of base.follow) values[name] = state.slots;
    for (const name of ["mmio_rate", "true_fault_fraction", "fill_rate"]) values[name] = state[name];
    if (data.places[state.machine].known) for (const name of data.indicators) values[name] = 1;
    if (state.hits === "derived") {
      values.generation_rate = state.generation_rate;
      values.hit_fraction = mmiocostEquations.evaluate("hit_fraction:" + after, values).value;
    } else values.hit_fraction = state.hit_fraction;
    return values;
  }

  // Each answer of a scenario, null where the scenario is outside the model.
  function evaluate(state) {
    const saving = (data.savings[state.mode + ":" + state.after] || {})[state.guest_levels];
    const other = data.regression[state.guest_levels], found = { before: null, after: null, saving: null, regression: null };
    if (saving) {
      const values = full(saving, state, state.after), name = ":" + state.mode + ":" + state.after;
      const saved = mmiocostEquations.evaluate("saving" + name, values);
      const before = mmiocostEquations.evaluate("before" + name, values), after = Object.assign({}, before);
      for (const [key, count] of Object.entries(saved)) after[key] = (before[key] || 0) - count;
      found.before = interval(before, state.machine);
      found.after = interval(after, state.machine);
      found.saving = interval(saved, state.machine);
    }
    if (other) {
      found.regression = interval(mmiocostEquations.evaluate("regression", full(other, state, "v31")), state.machine);
    }
    return found;
  }

  // As reporting/numbers.py: two digits of the shorter side of the interval.
  function shown(found, unit) {
    if (!found) return "not modelled here";
    const sides = [found.high - found.value, found.value - found.low].filter((side) => side > 0);
    const place = sides.length ? Number(Math.min(...sides).toExponential(1).split("e")[1]) - 1 : 0;
    const step = Math.pow(10, Math.max(place, 0));
    const text = (x) => (place > 0 ? Math.round(x / step) * step : x).toFixed(Math.min(100, Math.max(0, -place)))
      .replace(/^-(?=[0.]*$)/, "").replace(/^-/, "−").replace(/^(−?)(\d{5,})/, (_, sign, digits) =>
        sign + digits.replace(/\B(?=(\d{3})+$)/g, "\u202f"));
    return (sides.length ? text(found.value) + " [" + text(found.low) + ", " + text(found.high) + "]"
      : text(found.value)) + "\u00a0" + unit;
  }

  function read() {
    const state = {};
    for (const name of names) {
      const field = at(name);
      state[name] = field.type === "range" ? Number(field.value) : field.value;
    }
    return state;
  }

  // Only known names with values that a field admits are taken from the address.
  function fromAddress() {
    for (const [name, value] of new URLSearchParams(location.hash.slice(1, 2000))) {
      if (!names.includes(name)) continue;
      const field = at(name);
      if (field.type === "range") {
        const number = Number(value);
        if (value !== "" && Number.isFinite(number) && number >= Number(field.min) && number <= Number(field.max)) {
          field.value = String(number);
        }
      } else if ([...field.options].some((option) => option.value === value)) field.value = value;
    }
  }

  function sets(state) {
    const rate = state.hits === "derived" ? "generation_rate" : "hit_fraction";
    return ["slots", "guest_levels", "mmio_rate", rate, "true_fault_fraction", "fill_rate"]
      .map((name) => [name, state[name]]);
  }

  function write(state) {
    const plain = state.mode === "ept" && state.after === "v31";
    const options = plain ? sets(state).map(([name, value]) => " --set " + name + "=" + value).join("")
      + " --machine " + state.machine : " --scenario what-if.yaml";
    at("slots").form.nextElementSibling.textContent = state.hits === "derived" && state.generation_rate > 0
      && /^v3[0-9]$/.test(state.after)
      ? "Before 3.11 the generation rate spoils no entry: only updates that zap do." : "";
    document.getElementById(prefix + "what-if-command").textContent = ["saving:fast_mmio", "regression:bypass_guest_pf"]
      .map((name) => "mmiocost predict " + name + options).join("\n");
    document.getElementById(prefix + "what-if-yaml").textContent = ["name: what-if", "machine: " + state.machine,
      "mode: " + state.mode, "compare:", "  before: v30", "  after: " + state.after, "set:"]
      .concat(sets(state).map(([name, value]) => "  " + name + ": " + value)).join("\n");
  }

  function update() {
    const state = read(), found = evaluate(state);
    for (const name of names) {
      const place = at(name).parentElement.querySelector("output");
      if (place) place.textContent = String(state[name]);
    }
    at("hit_fraction").disabled = state.hits === "derived";
    at("generation_rate").disabled = state.hits !== "derived";
    for (const [name, unit] of [["before", "cycles"], ["after", "cycles"], ["saving", "cycles"], ["regression", "cycles/s"]]) {
      document.getElementById(prefix + "what-if-" + name).textContent = shown(found[name], unit);
    }
    write(state);
  }

  function changed() {
    update();
    if (!prefix) history.replaceState(null, "", "#" + new URLSearchParams(read()));
  }

  at("slots").form.addEventListener("input", changed);
  at("slots").form.addEventListener("submit", (event) => event.preventDefault());
  if (!prefix) window.addEventListener("hashchange", () => { fromAddress(); update(); });
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", () => {
      const text = document.getElementById(prefix + button.dataset.copy);
      getSelection().selectAllChildren(text);
      if (navigator.clipboard) navigator.clipboard.writeText(text.textContent).catch(() => document.execCommand("copy"));
      else document.execCommand("copy");
    });
  }
  if (!prefix) fromAddress();
  update();
  return { evaluate, read };
})();
