// Cells of the orders' table.
window.dashAgGridComponentFunctions = Object.assign({}, window.dashAgGridComponentFunctions, {
  OnTime: function (props) {
    const h = window.React.createElement;
    const row = props.data;
    const at = (share) => `${(100 * share).toFixed(1)}%`;
    return h(
      "div",
      { className: `on-time ${row.risk}`, title: row.low_text },
      h(
        "span",
        { className: "track" },
        h("span", { className: "fill", style: { width: at(row.on_time) } }),
        h("span", { className: "low", style: { left: at(row.low) } })
      ),
      h("b", null, row.on_time_text)
    );
  },
});
