// Draws the charts described as JSON beside them, in the colours of the page's style sheet.
"use strict";
(() => {
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map();

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);

  const variable = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  // Option objects name colours as var(--name); ECharts needs the colour itself.
  function coloured(value) {
    if (Array.isArray(value)) return value.map(coloured);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, key === "color" ? colour(inner) : coloured(inner)]),
    );
  }

  function colour(value) {
    if (Array.isArray(value)) return value.map(colour);
    const match = /^var\((--[a-z]+)\)$/.exec(value);
    return match ? variable(match[1]) : value;
  }

  function figure(value) {
    if (typeof value !== "number") return "—";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(3);
    const decimals = size === 0 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(size)));
    return value.toLocaleString("en", { maximumFractionDigits: decimals });
  }

  // A tooltip out of text nodes: names come from the user's file and are never markup.
  function tooltip(option) {
    return (params) => {
      const items = Array.isArray(params) ? params : [params];
      const box = document.createElement("div");
      const head = box.appendChild(document.createElement("strong"));
      const cell = option.cells !== undefined;
      head.textContent = cell ? pair(items[0], option) : (items[0].axisValueLabel ?? items[0].seriesName);
      for (const item of items) {
        if (item.seriesId === "low") continue;
        const row = box.appendChild(document.createElement("div"));
        row.className = "tip";
        const dot = row.appendChild(document.createElement("i"));
        dot.style.background = item.color;
        row.appendChild(document.createElement("span")).textContent =
          cell || items[0].axisValueLabel ? item.seriesName : `${option.xAxis.name} / ${item.seriesName}`;
        row.appendChild(document.createElement("b")).textContent = shown(item, option);
      }
      return box;
    };
  }

  // Where a cell of a heat map lies.
  function pair(item, option) {
    const [column, row] = item.value;
    return `${option.yAxis.name} ${option.yAxis.data[row]} · ${option.xAxis.name} ${option.xAxis.data[column]}`;
  }

  function shown(item, option) {
    if (option.cells) return figure(item.value[2]);
    if (item.seriesId === "band") {
      const low = option.series.find((series) => series.id === "low").data[item.dataIndex];
      return low === null ? "—" : `${figure(low)} – ${figure(low + item.value)}`;
    }
    if (!Array.isArray(item.value)) return figure(item.value);
    return item.seriesType === "scatter" ? item.value.map(figure).join(" / ") : figure(item.value[1]);
  }

  function furnish(option) {
    const axis = {
      axisLine: { onZero: false, lineStyle: { color: variable("--line") } },
      axisTick: { lineStyle: { color: variable("--line") } },
      axisLabel: { color: variable("--soft"), hideOverlap: true, fontSize: 11 },
      splitLine: { lineStyle: { color: variable("--line") } },
      nameTextStyle: { color: variable("--soft"), fontSize: 11 },
    };
    const text = { color: variable("--ink"), fontFamily: getComputedStyle(document.body).fontFamily };
    const ready = coloured(option);
    ready.textStyle = text;
    ready.xAxis = { ...axis, splitLine: { show: false }, ...ready.xAxis };
    ready.yAxis = { ...axis, ...ready.yAxis, axisLabel: { ...axis.axisLabel, ...ready.yAxis.axisLabel } };
    if (ready.legend) {
      Object.assign(ready.legend, {
        icon: "roundRect",
        itemWidth: 14,
        itemHeight: 4,
        itemGap: 16,
        textStyle: { color: variable("--ink"), fontSize: 12 },
        pageTextStyle: { color: variable("--soft") },
        pageIconColor: variable("--soft"),
      });
    }
    Object.assign(ready.tooltip, {
      formatter: tooltip(option),
      backgroundColor: variable("--card"),
      borderColor: variable("--line"),
      textStyle: { color: variable("--ink"), fontSize: 12 },
    });
    if (ready.cells) {
      for (const one of ready.series) {
        one.itemStyle = { color: (item) => between(item.value[2], ready.cells), opacity: 1 };
        one.emphasis = { itemStyle: { borderColor: variable("--ink"), borderWidth: 1 }, scale: false };
      }
    }
    for (const zoom of ready.dataZoom ?? []) {
      const shadow = (name) => ({ lineStyle: { color: variable(name) }, areaStyle: { color: variable("--line") } });
      Object.assign(zoom, {
        borderColor: variable("--line"),
        backgroundColor: variable("--tint"),
        fillerColor: "transparent",
        dataBackground: shadow("--line"),
        selectedDataBackground: shadow("--soft"),
        handleStyle: { color: variable("--card"), borderColor: variable("--soft") },
        moveHandleStyle: { color: variable("--line") },
        textStyle: { color: variable("--soft"), fontSize: 10 },
        brushSelect: false,
      });
    }
    return ready;
  }

  function draw(place) {
    const description = JSON.parse(place.nextElementSibling.textContent);
    drawn.get(place)?.dispose();
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.setOption(furnish(description));
    drawn.set(place, chart);
    fill(chart);
  }

  // The cells of a heat map are as large as their places, which are known once the axes are drawn.
  function fill(chart) {
    const { cells, xAxis, yAxis } = chart.getOption();
    if (cells === undefined) return;
    const { width, height } = chart.getModel().getComponent("grid").coordinateSystem.getRect();
    const size = [width / xAxis[0].data.length + 0.4, height / yAxis[0].data.length + 0.4];
    chart.setOption({ series: [{ symbolSize: size }] });
  }

  // The colour of a figure between those of its scale.
  function between(value, { min, max, color }) {
    const place = ((value - min) / (max - min || 1)) * (color.length - 1);
    const low = Math.min(Math.max(Math.floor(place), 0), color.length - 2);
    const part = Math.min(Math.max(place - low, 0), 1);
    const channel = (at) => {
      const [one, other] = [color[low], color[low + 1]].map((code) => parseInt(code.slice(at, at + 2), 16));
      return Math.round(one + part * (other - one));
    };
    return `rgb(${channel(1)}, ${channel(3)}, ${channel(5)})`;
  }

  // A chart in a folded part of the page has no size yet; it is drawn when it gets one.
  const watcher = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (contentRect.width === 0) continue;
      if (drawn.has(target)) {
        drawn.get(target).resize();
        fill(drawn.get(target));
      } else draw(target);
    }
  });

  const redraw = () => [...drawn.keys()].forEach(draw);

  function choose(theme) {
    root.dataset.theme = theme;
    redraw();
  }

  const wished = location.hash.slice(1);
  if (wished === "dark" || wished === "light") root.dataset.theme = wished;
  document.querySelector("#theme").addEventListener("click", () => choose(isDark() ? "light" : "dark"));
  prefersDark.addEventListener("change", redraw);

  let before;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.paper = ""; // narrower, and so are the charts, which are drawn anew
    for (const details of document.querySelectorAll("details")) details.open = true;
    choose("light");
  });
  addEventListener("afterprint", () => {
    delete root.dataset.paper;
    if (before) choose(before);
    else {
      delete root.dataset.theme;
      redraw();
    }
  });

  document.querySelectorAll(".plot").forEach((place) => watcher.observe(place));
})();
