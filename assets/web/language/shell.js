// The page's shell: prompt, model, tools and the stage. It stands in the page before Streamlit has started, above what
// Streamlit draws, and stays there: a rerun of the script touches nothing of it.
//
// The script mounts one component, which draws nothing; its JavaScript is
//
//   export default async (component) => {
//     const { mount } = await import(`${document.documentElement.dataset.base || ""}/assets/web/language/shell.js`);
//     mount(component);
//   };
//
// From the shell to the script: component.setStateValue("state", {...every key of the address, turn}). It is handed over
// when the component is first there, when the tool changes, and, while the script draws the tool (sides, decoding,
// bonnet), when anything else does. turn: counts the times that the shell itself changed what the script's widgets show
// (a scene, Back): the widgets take the state's values when it has grown, and keep their own otherwise.
// From the script to the shell: component.data.native = {key: value} of its widgets; the shell writes them to the address.
//
// A tool that the shell draws is made once and shown and hidden:
//   createDistribution / createWriter({ host, side, store, data, say }) -> { show(), hide(), destroy() }
// host: the instrument; side: the place for controls; both are empty when show() is called, and the tool may fill them as
// it likes until hide(), after which the shell empties them. say(sentence, kind = "info" | "busy" | "error").

export function mount() {}
export async function boot() {}
