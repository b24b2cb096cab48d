import { ChatPage } from "./chat/page";
import { startPage } from "./ui/start";

startPage();
new ChatPage().start();
