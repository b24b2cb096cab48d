import { startPage } from "./ui/start";

startPage();
