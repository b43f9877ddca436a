export default 1; export const handler = async () => "a module";
